/// How a tensor's name in a file spells a parameter.
public struct Spelling: Hashable, Sendable {
  /// What stands before the name within the component.
  public enum Container: Int, CaseIterable, Comparable, Sendable {
    /// The component's prefix in single-file checkpoints: `first_stage_model.`.
    case checkpoint
    /// The component's folder: `vae/`.
    case folder
    /// Nothing: the file holds one component.
    case bare
    /// The component's name in some other form: `vae.`.
    case other

    /// The order in which spellings are preferred.
    public static func < (a: Container, b: Container) -> Bool { a.rawValue < b.rawValue }
  }

  /// What stands before the name.
  public let container: Container
  /// Which naming the name belongs to; `nil` when both namings spell it so.
  public let naming: Naming?
  /// Whether no current program writes it so: an old VAE attention, or a text encoder without
  /// `text_model.`.
  public let isAlias: Bool

  /// Whether it is what the usual programs write: the original naming in a checkpoint, the diffusers
  /// naming in a folder, either in a file of its own.
  public var isUsual: Bool {
    guard !isAlias else { return false }
    return switch container {
    case .checkpoint: naming != .diffusers
    case .folder: naming != .ldm
    case .bare: true
    case .other: false
    }
  }
}

/// Something that may stand before the name of a tensor within its component.
struct NamePrefix: Sendable {
  let text: String
  let component: Component
  let container: Spelling.Container

  /// All of them; one that another begins with comes later.
  static let all: [NamePrefix] = [
    NamePrefix(Component.unet.ldmPrefix, .unet, .checkpoint),
    NamePrefix(Component.vae.ldmPrefix, .vae, .checkpoint),
    NamePrefix(Component.textEncoder.ldmPrefix, .textEncoder, .checkpoint),
    NamePrefix("unet/", .unet, .folder),
    NamePrefix("vae/", .vae, .folder),
    NamePrefix("text_encoder/", .textEncoder, .folder),
    NamePrefix("diffusion_model.", .unet, .other),
    NamePrefix("unet.", .unet, .other),
    NamePrefix("vae.", .vae, .other),
    NamePrefix("text_encoder.", .textEncoder, .other),
    NamePrefix("clip_l.transformer.", .textEncoder, .other),
    NamePrefix("cond_stage_model.", .textEncoder, .other),
    NamePrefix("transformer.", .textEncoder, .other),
  ]

  private init(_ text: String, _ component: Component, _ container: Spelling.Container) {
    self.text = text
    self.component = component
    self.container = container
  }
}
