public import Tensors

extension Rule {
  /// A picture of a size that the network cannot make.
  public static let imageSize = Rule(
    "GN004", .fatal, "size that does not fit",
    "The VAE makes one position of the latent out of 8 × 8 pixels, so width and height are "
      + "multiples of 8. Stable Diffusion 1.5 was trained at 512 × 512; far from that, pictures "
      + "repeat themselves.")
  /// An image or mask whose size differs from the picture's.
  public static let imageMismatch = Rule(
    "GN005", .fatal, "image of another size",
    "A mask belongs to an image, pixel by pixel, so that both have the same size. The image may have "
      + "any size: it is scaled to that of the result, and the mask with it.")
  /// A setting out of its range.
  public static let generationSetting = Rule(
    "GN006", .fatal, "setting out of range",
    "A number that makes no picture: too many or too few steps, a strength outside 0 to 1, a mask "
      + "without an image.")
  /// More memory than there is.
  public static let generationMemory = Rule(
    "GN007", .fatal, "not enough memory",
    "The estimate of what the picture takes is more than the machine, or the container, has free. "
      + "A smaller picture or --precision bf16 takes less. The estimate is made from the model's "
      + "header, before anything is loaded.")
  /// A model that makes no pictures.
  public static let generationModel = Rule(
    "GN008", .fatal, "model that makes no pictures",
    "Pictures are made by whole Stable Diffusion 1.x models: text encoder, U-Net and VAE. A LoRA, "
      + "an embedding or a VAE alone is applied to such a model; other families have other "
      + "networks.")
  /// Latents that are no longer numbers.
  public static let generationNumbers = Rule(
    "GN009", .fatal, "not a number",
    "The network's output held NaN or infinities, so there is no picture. A weight may be damaged "
      + "(sdtool validate finds those), or the numbers left the range of the precision; try "
      + "--precision f32.")

  /// All rules about making pictures.
  public static let generationRules: [Rule] = [
    .imageSize, .imageMismatch, .generationSetting, .generationMemory, .generationModel,
    .generationNumbers,
  ]
}
