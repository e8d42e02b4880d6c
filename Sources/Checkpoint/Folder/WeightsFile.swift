import SafeTensors
import Tensors

/// The name of a weights file or index in a component's folder, taken apart.
struct WeightsFile: Comparable {
  enum Kind: Int { case safetensors, safetensorsIndex, pickled }
  let name: String
  let kind: Kind
  /// `fp16`, `ema` and the like; `nil` for the plain file.
  let variant: String?

  private static let stems = ["diffusion_pytorch_model", "model", "pytorch_model"]

  /// A weights file's name; `nil` for any other name, and for single shards.
  init?(_ name: String) {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard let stem = parts.first, Self.stems.contains(stem) else { return nil }
    parts.removeFirst()
    if parts.last == "json" {
      // `….safetensors.index.json`, `….safetensors.index.fp16.json`
      guard parts.count >= 3, parts[0] == "safetensors", parts[1] == "index" else { return nil }
      kind = .safetensorsIndex
      variant = parts.count == 4 ? parts[2] : nil
      guard parts.count <= 4 else { return nil }
    } else {
      switch parts.last {
      case "safetensors": kind = .safetensors
      case "bin": kind = .pickled
      default: return nil
      }
      variant = parts.count == 2 ? parts[0] : nil
      guard parts.count <= 2 else { return nil }
    }
    self.name = name
  }

  /// Plain before variants, safetensors before pickles, then by name.
  static func < (a: WeightsFile, b: WeightsFile) -> Bool {
    (a.variant == nil ? 0 : 1, a.kind.rawValue, TensorName(a.name))
      < (b.variant == nil ? 0 : 1, b.kind.rawValue, TensorName(b.name))
  }

  /// The weights files in `folder`, the preferred one first.
  static func all(in folder: ModelFolder) -> [WeightsFile] {
    folder.entries().compactMap(WeightsFile.init).sorted()
  }

  func open(in folder: ModelFolder) throws(Fault) -> any TensorSource {
    let file = try folder.open(name)
    switch kind {
    case .safetensors: return try SafeTensorsFile(file)
    case .safetensorsIndex: return try ShardIndex(file).open(in: folder)
    case .pickled: return try openFile(file)
    }
  }
}
