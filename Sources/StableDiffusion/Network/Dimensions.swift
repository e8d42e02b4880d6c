/// The widths of a network that is built like Stable Diffusion 1.5.
///
/// What the widths do not say is the same in every such network: four levels, two (down) or three
/// (up) residual blocks a level, 12 text layers, 8 attention heads in the U-Net, 12 in the text
/// encoder, one in the VAE, 32 groups in every GroupNorm.
///
///     var dimensions = Dimensions.sd15
///     dimensions[.unetInput] = 9      // the inpainting variant
public struct Dimensions: Hashable, Sendable {
  /// One width that a model may choose.
  public enum Width: Int, CaseIterable, Sendable {
    /// The U-Net's channels at its four levels, and the number that goes into its time embedding.
    case unet0, unet1, unet2, unet3
    /// The channels that the U-Net takes and gives.
    case unetInput, unetOutput
    /// The width of the time embedding inside the U-Net.
    case unetTime
    /// The width of the context that the U-Net attends to.
    case unetContext
    /// The VAE's channels at its four levels.
    case vae0, vae1, vae2, vae3
    /// The channels of a latent image.
    case latent
    /// The channels of an image.
    case image
    /// The width of the text encoder, and of its feed-forward layers.
    case text, textFeedForward
    /// The number of tokens, and of tokens in one prompt.
    case vocabulary, positions

    /// A name for people.
    public var title: String {
      switch self {
      case .unet0: "U-Net channels, level 0"
      case .unet1: "U-Net channels, level 1"
      case .unet2: "U-Net channels, level 2"
      case .unet3: "U-Net channels, level 3"
      case .unetInput: "U-Net input channels"
      case .unetOutput: "U-Net output channels"
      case .unetTime: "time embedding width"
      case .unetContext: "context width"
      case .vae0: "VAE channels, level 0"
      case .vae1: "VAE channels, level 1"
      case .vae2: "VAE channels, level 2"
      case .vae3: "VAE channels, level 3"
      case .latent: "latent channels"
      case .image: "image channels"
      case .text: "text encoder width"
      case .textFeedForward: "text feed-forward width"
      case .vocabulary: "vocabulary"
      case .positions: "text positions"
      }
    }

    /// The component whose tensors tell it.
    public var component: Component {
      switch self {
      case .unet0, .unet1, .unet2, .unet3, .unetInput, .unetOutput, .unetTime, .unetContext: .unet
      case .vae0, .vae1, .vae2, .vae3, .latent, .image: .vae
      case .text, .textFeedForward, .vocabulary, .positions: .textEncoder
      }
    }
  }

  /// The number of layers in the text encoder.
  public static let textLayers = 12
  /// The number of heads in each attention of the text encoder.
  public static let textHeads = 12
  /// The number of heads in each attention of the U-Net.
  public static let unetHeads = 8
  /// The number of groups in every group normalisation.
  public static let groups = 32
  /// The largest width: with it, no product of extents overflows.
  public static let maximum = 1 << 20

  private var values: [Int]

  private init(values: [Int]) { self.values = values }

  /// The width called `width`; a stored value is kept between 1 and ``maximum``.
  public subscript(width: Width) -> Int {
    get { values[width.rawValue] }
    set { values[width.rawValue] = min(max(newValue, 1), Self.maximum) }
  }

  /// The U-Net's channels at its four levels.
  public var unetWidths: [Int] { [self[.unet0], self[.unet1], self[.unet2], self[.unet3]] }
  /// The VAE's channels at its four levels.
  public var vaeWidths: [Int] { [self[.vae0], self[.vae1], self[.vae2], self[.vae3]] }

  /// The same widths, but `value` for `width`.
  public func with(_ width: Width, _ value: Int) -> Dimensions {
    var copy = self
    copy[width] = value
    return copy
  }

  /// Different large primes, so that an extent tells which width it comes from.
  static let primes = Dimensions(values: [
    1_000_003, 1_000_033, 1_000_037, 1_000_039, 1_000_081, 1_000_099, 1_000_117, 1_000_121,
    1_000_133, 1_000_151, 1_000_159, 1_000_171, 1_000_183, 1_000_187, 1_000_193, 1_000_199,
    1_000_211, 1_000_213,
  ])
}

extension Dimensions {
  /// Stable Diffusion 1.5.
  public static let sd15 = Dimensions(values: [
    320, 640, 1280, 1280, 4, 4, 1280, 768, 128, 256, 512, 512, 4, 3, 768, 3072, 49408, 77,
  ])
  /// Stable Diffusion 1.5 for inpainting: latent, mask and masked latent go in.
  public static let sd15Inpainting = sd15.with(.unetInput, 9)
  /// InstructPix2Pix: latent and the latent to be edited go in.
  public static let sd15InstructPix2Pix = sd15.with(.unetInput, 8)
  /// A network of the same structure, small enough for tests, that other programs can run.
  ///
  /// Every count of channels is a multiple of 32, as the normalisations need, and of the number of
  /// heads; neighbouring levels differ where Stable Diffusion 1.5 has a way around a residual block.
  /// About 3.9 million values, half of them in the U-Net.
  public static let tiny = Dimensions(values: [
    32, 64, 32, 32, 4, 4, 128, 24, 32, 64, 32, 32, 4, 3, 24, 96, 49408, 77,
  ])
  /// The same for inpainting: latent, mask and masked latent go in.
  public static let tinyInpainting = tiny.with(.unetInput, 9)
  /// The smallest network that tells its widths: for tests of names and shapes, not to be run.
  public static let tiniest = Dimensions(values: [
    2, 2, 2, 2, 4, 4, 2, 2, 2, 2, 2, 2, 4, 3, 2, 2, 64, 77,
  ])
}
