public import Tensors

extension Rule {
  /// The library that draws PNG files is not there.
  public static let rasterLibrary = Rule(
    "DR001", .fatal, "no library for PNG",
    "PNG files are drawn by librsvg and cairo, which are looked for when they are needed. Install "
      + "them (Debian and Ubuntu: librsvg2-2; Fedora: librsvg2; Arch and Alpine: librsvg), or have "
      + "the picture as SVG, which needs nothing.")
  /// A picture could not be drawn.
  public static let rasterFailed = Rule(
    "DR002", .fatal, "picture not drawn",
    "The picture could not be made into a PNG file. It may be too large: at most 64 million pixels "
      + "are drawn. Give a smaller scale, or have the picture as SVG.")
  /// What a picture should be coloured by is not known.
  public static let unknownColoring = Rule(
    "DR003", .fatal, "nothing to colour by",
    "The network is coloured by one of a few things: block weights, the difference from another "
      + "model, a LoRA's effect, the findings of a validation, or element types. The message names "
      + "the nearest one.")
  /// A resolution that the network cannot work at.
  public static let drawingResolution = Rule(
    "DR004", .fatal, "resolution that does not fit",
    "Width and height of a picture are multiples of 64: the VAE makes one position of the latent "
      + "out of 8 × 8 pixels, and the U-Net halves the latent three times.")
  /// A model that the drawing cannot show.
  public static let drawingModel = Rule(
    "DR005", .fatal, "nothing to draw",
    "Only Stable Diffusion 1.x is known layer by layer, so only it can be drawn. Other model files "
      + "can be inspected and hashed.")
  /// The name of an output does not say in which format it is to be written.
  public static let unknownSuffix = Rule(
    "DR006", .fatal, "suffix without a format",
    "The format of a picture or report follows from the suffix of its file's name, unless --format "
      + "names it. A suffix that stands for no known format is refused, so that no file says it is "
      + "something else.")

  /// All rules about pictures.
  public static let drawingRules: [Rule] = [
    .rasterLibrary, .rasterFailed, .unknownColoring, .drawingResolution, .drawingModel,
    .unknownSuffix,
  ]
}
