/// What a model file is.
///
/// The raw value is stable and made for programs.
public enum ModelKind: String, CaseIterable, Sendable {
  /// Stable Diffusion 1.x or a part of it, whatever its widths: the kind that is mapped.
  case stableDiffusion1 = "sd1"
  case stableDiffusion2 = "sd2"
  case sdxlBase = "sdxl"
  case sdxlRefiner = "sdxl-refiner"
  case stableDiffusion3 = "sd3"
  case flux
  /// A LoRA, or a relative of it.
  case adapter = "lora"
  case controlNet = "controlnet"
  case t2iAdapter = "t2i-adapter"
  case ipAdapter = "ip-adapter"
  case motionModule = "motion-module"
  case textualInversion = "embedding"
  case hypernetwork
  case upscaler
  /// Nothing that is recognised.
  case unknown

  /// A name for people.
  public var title: String {
    switch self {
    case .stableDiffusion1: "Stable Diffusion 1.x"
    case .stableDiffusion2: "Stable Diffusion 2.x"
    case .sdxlBase: "Stable Diffusion XL"
    case .sdxlRefiner: "Stable Diffusion XL refiner"
    case .stableDiffusion3: "Stable Diffusion 3"
    case .flux: "Flux"
    case .adapter: "LoRA"
    case .controlNet: "ControlNet"
    case .t2iAdapter: "T2I-Adapter"
    case .ipAdapter: "IP-Adapter"
    case .motionModule: "motion module"
    case .textualInversion: "textual-inversion embedding"
    case .hypernetwork: "hypernetwork"
    case .upscaler: "upscaler"
    case .unknown: "unknown"
    }
  }
}

/// What goes into the U-Net of a Stable Diffusion 1.x model beside the latent.
public enum Variant: String, CaseIterable, Sendable {
  /// Nothing: 4 channels.
  case base
  /// A mask and the masked latent: 9 channels.
  case inpainting
  /// The latent to be edited: 8 channels.
  case instructPix2Pix = "instruct-pix2pix"
  /// Another number of channels.
  case custom

  /// The variant whose U-Net takes `channels` channels.
  public init(inputChannels channels: Int) {
    switch channels {
    case 4: self = .base
    case 8: self = .instructPix2Pix
    case 9: self = .inpainting
    default: self = .custom
    }
  }

  /// A name for people, with its article.
  public var title: String {
    switch self {
    case .base: "a standard model"
    case .inpainting: "an inpainting model"
    case .instructPix2Pix: "an InstructPix2Pix model"
    case .custom: "a model of no known variant"
    }
  }
}

/// How the names of a model's tensors are arranged.
public enum Layout: Hashable, Sendable {
  /// One file with the prefixes of the original checkpoints.
  case checkpoint
  /// One folder for each component, as diffusers has it.
  case diffusersFolder
  /// One component by itself; no naming where both spell it alike.
  case component(Component, Naming?)
  /// Several components in a way that no common program writes.
  case mixed

  /// A name for people.
  public var title: String {
    switch self {
    case .checkpoint: "single-file checkpoint"
    case .diffusersFolder: "diffusers folder"
    case .component(let component, let naming):
      switch naming {
      case .ldm: "\(component.title) alone, original names"
      case .diffusers: "\(component.title) alone, diffusers names"
      case nil: "\(component.title) alone"
      }
    case .mixed: "mixed names"
    }
  }
}
