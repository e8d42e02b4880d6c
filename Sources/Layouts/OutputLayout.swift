/// A layout that models can be written in.
public enum OutputLayout: String, CaseIterable, Sendable {
  /// One safetensors file with the original names.
  case safetensors
  /// A PyTorch checkpoint: a zip archive that `torch.load(weights_only=True)` opens.
  case ckpt
  /// A checkpoint as PyTorch before 1.6 wrote it, which all versions open.
  case legacy
  /// The contents of a zip archive as a folder.
  case folder
  /// A diffusers folder: one safetensors file for each component, with configurations.
  case diffusers

  /// The layout that a path asks for by its suffix; a path without one asks for a diffusers folder.
  public init(path: String) {
    let name = path.split(separator: "/").last.map { $0.lowercased() } ?? ""
    switch name.split(separator: ".").last {
    case "safetensors", "sft": self = .safetensors
    case "ckpt", "pt", "pth", "bin": self = .ckpt
    default: self = .diffusers
    }
  }

  /// A few words for people.
  public var title: String {
    switch self {
    case .safetensors: "safetensors file"
    case .ckpt: "PyTorch checkpoint (zip)"
    case .legacy: "PyTorch checkpoint (legacy, before 1.6)"
    case .folder: "unpacked PyTorch checkpoint folder"
    case .diffusers: "diffusers folder"
    }
  }
}
