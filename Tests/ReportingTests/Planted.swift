import Inspection
import Synthesis
import Tensors

/// A model whose names and texts are meant to do harm.
struct PlantedSource: TensorSource {
  let base: SyntheticModel
  let tensors: [TensorInfo]
  let metadata: [MetadataEntry]
  let path: String
  /// The position of a tensor whose values become NaN.
  var spoiled: Int?

  static let script = "<script>window.planted = 1</script>"
  static let escapes = "\u{1B}]0;planted\u{7}\u{1B}[31m"
  /// Things that must not be in any output.
  static let forbidden = [
    "<script>window", "<img src=x", "\u{1B}", "\u{7}", "\u{202E}", "onerror=alert(1)>",
  ]

  /// A synthetic model with other names and texts: every 50th name is replaced.
  init(_ preset: SynthesisPreset = .sd15Tiny, extra: Int = 0, metadata: [MetadataEntry]? = nil)
    throws
  {
    base = SyntheticModel(preset: preset, seed: 5, dtype: .f16)
    var tensors = base.tensors
    for index in stride(from: 7, to: tensors.count, by: 50) {
      let name = "\(Self.script)\(Self.escapes)\"><img src=x onerror=alert(1)>\u{202E}|`\(index)"
      tensors[index] = tensors[index].renamed(TensorName(name))
    }
    for index in 0..<extra {
      tensors.append(try TensorInfo(name: TensorName("extra.\(index)"), dtype: .f32, shape: [2]))
    }
    self.tensors = tensors
    let text = Self.script + Self.escapes
    self.metadata =
      metadata ?? [
        MetadataEntry(key: text, value: text), MetadataEntry(key: "ss_output_name", value: text),
        MetadataEntry(
          key: "ss_tag_frequency", value: "{\"a\": {\"<script>window.planted = 1</script>\": 3}}"),
      ]
    path = "models/\(Self.script)\(Self.escapes).safetensors"
  }

  var container: Container { .safetensors }
  var findings: [Fault] { [] }
  var files: [InputFile] { [] }

  func extent(of index: Int) -> FileExtent? { nil }

  func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    guard index < base.tensors.count, index != spoiled else {
      for position in 0..<buffer.byteCount {
        // All bits set is NaN in every type.
        buffer.storeBytes(of: index == spoiled ? 0xFF : 0, toByteOffset: position, as: UInt8.self)
      }
      return
    }
    try base.read(index, at: offset, into: &buffer)
  }
}
