/// One of the three models inside a Stable Diffusion checkpoint, in the order of the network.
public enum Component: String, CaseIterable, Comparable, Sendable {
  /// CLIP ViT-L/14's text half: token ids to context.
  case textEncoder
  /// The noise predictor.
  case unet
  /// The autoencoder between images and latents.
  case vae

  /// A name for people.
  public var title: String {
    switch self {
    case .textEncoder: "text encoder"
    case .unet: "U-Net"
    case .vae: "VAE"
    }
  }

  /// What its names begin with in a single-file checkpoint, with the final dot.
  public var ldmPrefix: String {
    switch self {
    case .textEncoder: "cond_stage_model.transformer."
    case .unet: "model.diffusion_model."
    case .vae: "first_stage_model."
    }
  }

  /// The folder that holds it in the diffusers layout, without a slash.
  public var folder: String {
    switch self {
    case .textEncoder: "text_encoder"
    case .unet: "unet"
    case .vae: "vae"
    }
  }

  /// The component that users call `name`: `unet`, `vae`, `clip`, `te`, `text_encoder` or its title.
  public init?(name: some StringProtocol) {
    switch name.lowercased() {
    case "unet", "u-net": self = .unet
    case "vae": self = .vae
    case "clip", "te", "text", "text_encoder", "text-encoder", "textencoder", "text encoder":
      self = .textEncoder
    default: return nil
    }
  }

  /// Whether `a` comes before `b` in the network: text encoder, U-Net, VAE.
  public static func < (a: Component, b: Component) -> Bool { a.order < b.order }

  private var order: Int {
    switch self {
    case .textEncoder: 0
    case .unet: 1
    case .vae: 2
    }
  }
}

/// The two ways in which the tensors of the network are named.
public enum Naming: String, CaseIterable, Sendable {
  /// Original single-file checkpoints: `model.diffusion_model.input_blocks.0.0.weight`.
  case ldm
  /// diffusers folders: `conv_in.weight` in the folder `unet`.
  case diffusers
}
