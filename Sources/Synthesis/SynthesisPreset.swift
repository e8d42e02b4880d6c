public import StableDiffusion

/// A model that can be made of random numbers.
public enum SynthesisPreset: String, CaseIterable, Sendable {
  /// Stable Diffusion 1.5 as it is usually found: text encoder, U-Net, VAE and token positions.
  case sd15
  /// The same for inpainting: the U-Net takes nine channels.
  case sd15Inpainting = "sd15-inpainting"
  /// The same for editing by instruction: the U-Net takes eight channels.
  case sd15InstructPix2Pix = "sd15-instruct-pix2pix"
  /// The same structure with narrow layers, for tests.
  case sd15Tiny = "sd15-tiny"
  /// The same for inpainting: the U-Net takes nine channels.
  case sd15TinyInpainting = "sd15-tiny-inpainting"
  /// As training leaves it: with the moving average of the U-Net and the noise schedule.
  case sd15Full = "sd15-full"
  /// The U-Net alone.
  case unet
  /// The VAE alone.
  case vae
  /// The text encoder alone, with token positions.
  case textEncoder = "text-encoder"
  /// A LoRA of rank 8 for all modules that are trained by default.
  case lora
  /// The same of rank 32.
  case lora32 = "lora-32"
  /// The same for ``sd15Tiny``, of rank 4.
  case loraTiny = "lora-tiny"

  /// A few words for people.
  public var title: String {
    switch self {
    case .sd15: "Stable Diffusion 1.5"
    case .sd15Inpainting: "Stable Diffusion 1.5 inpainting"
    case .sd15InstructPix2Pix: "InstructPix2Pix"
    case .sd15Tiny: "Stable Diffusion 1.5 with narrow layers"
    case .sd15TinyInpainting: "Stable Diffusion 1.5 inpainting with narrow layers"
    case .sd15Full: "Stable Diffusion 1.5 with its moving average"
    case .unet: "U-Net of Stable Diffusion 1.5"
    case .vae: "VAE of Stable Diffusion 1.5"
    case .textEncoder: "text encoder of Stable Diffusion 1.5"
    case .lora: "LoRA for Stable Diffusion 1.5"
    case .lora32: "LoRA of rank 32 for Stable Diffusion 1.5"
    case .loraTiny: "LoRA for Stable Diffusion 1.5 with narrow layers"
    }
  }

  /// The widths of its network.
  public var dimensions: Dimensions {
    switch self {
    case .sd15Inpainting: .sd15Inpainting
    case .sd15InstructPix2Pix: .sd15InstructPix2Pix
    case .sd15Tiny, .loraTiny: .tiny
    case .sd15TinyInpainting: .tinyInpainting
    case .sd15, .sd15Full, .unet, .vae, .textEncoder, .lora, .lora32: .sd15
    }
  }

  /// The components in it.
  var components: [Component] {
    switch self {
    case .unet: [.unet]
    case .vae: [.vae]
    case .textEncoder: [.textEncoder]
    case .lora, .lora32, .loraTiny: []
    case .sd15, .sd15Inpainting, .sd15InstructPix2Pix, .sd15Tiny, .sd15TinyInpainting, .sd15Full:
      Component.allCases
    }
  }
}
