/// What a user says a model should be.
public enum Expectation: String, CaseIterable, Sendable {
  /// Stable Diffusion 1.x of any variant and any widths.
  case sd1
  /// Stable Diffusion 1.5 with the standard widths.
  case sd15
  /// Stable Diffusion 1.5 for inpainting.
  case sd15Inpainting = "sd15-inpainting"
  /// InstructPix2Pix.
  case sd15InstructPix2Pix = "sd15-instruct-pix2pix"

  /// The widths that it insists on, if any.
  public var dimensions: Dimensions? {
    switch self {
    case .sd1: nil
    case .sd15: .sd15
    case .sd15Inpainting: .sd15Inpainting
    case .sd15InstructPix2Pix: .sd15InstructPix2Pix
    }
  }

  /// A name for people, with its article.
  public var title: String {
    switch self {
    case .sd1: "a Stable Diffusion 1.x model"
    case .sd15: "a Stable Diffusion 1.5 model"
    case .sd15Inpainting: "a Stable Diffusion 1.5 inpainting model"
    case .sd15InstructPix2Pix: "an InstructPix2Pix model"
    }
  }
}
