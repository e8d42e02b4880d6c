public import StableDiffusion

/// What kind of model to make.
public enum SynthesisPreset: String, CaseIterable, Sendable {
  /// A whole Stable Diffusion 1.5 checkpoint: 1,131 tensors.
  case sd15
  /// The inpainting variant, whose U-Net takes 9 channels.
  case sd15Inpainting = "sd15-inpainting"
  /// InstructPix2Pix, whose U-Net takes 8 channels.
  case sd15InstructPix2Pix = "sd15-instruct-pix2pix"
  /// A checkpoint as training leaves it: moving averages and noise schedule included.
  case sd15Full = "sd15-full"
  /// The same structure and names with narrow layers: 8 MB in half precision, for tests.
  case sd15Tiny = "sd15-tiny"
  /// ``sd15Tiny`` with 9 input channels.
  case sd15TinyInpainting = "sd15-tiny-inpainting"
  /// The narrowest network of that structure: 2 channels; for names and shapes, not to be run.
  case sd15Tiniest = "sd15-tiniest"
  /// The U-Net alone, with the original names.
  case unet
  /// The VAE alone, with the original names.
  case vae
  /// The text encoder alone.
  case textEncoder = "text-encoder"
  /// A LoRA as kohya's scripts write it: 192 modules of the U-Net, 72 of the text encoder.
  case lora
  /// ``lora`` for ``sd15Tiny``.
  case loraTiny = "lora-tiny"

  /// The widths of the network.
  public var dimensions: Dimensions {
    switch self {
    case .sd15, .sd15Full, .unet, .vae, .textEncoder, .lora: .sd15
    case .sd15Inpainting: .sd15Inpainting
    case .sd15InstructPix2Pix: .sd15InstructPix2Pix
    case .sd15Tiny, .loraTiny: .tiny
    case .sd15TinyInpainting: .tiny.with(.unetInput, 9)
    case .sd15Tiniest: .tiniest
    }
  }

  /// The one component it has, if it has only one.
  var component: Component? {
    switch self {
    case .unet: .unet
    case .vae: .vae
    case .textEncoder: .textEncoder
    default: nil
    }
  }
}
