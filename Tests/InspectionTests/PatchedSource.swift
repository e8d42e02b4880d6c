import Synthesis
import Tensors

/// A synthetic model of which some tensors were replaced or left out.
struct PatchedSource: TensorSource {
  let base = SyntheticModel(preset: .sd15Tiny, seed: 3, dtype: .f16)
  let tensors: [TensorInfo]
  let metadata: [MetadataEntry]
  private let contents: [[UInt8]?]
  private let indices: [Int]

  /// The model with other bytes, of another type or shape if given, for the named tensors.
  init(
    _ patches: [TensorName: (dtype: DType, shape: [Int], bytes: [UInt8])] = [:],
    without missing: Set<TensorName> = [], metadata: [MetadataEntry] = []
  ) throws {
    var tensors: [TensorInfo] = []
    var contents: [[UInt8]?] = []
    var indices: [Int] = []
    for (index, tensor) in base.tensors.enumerated() where !missing.contains(tensor.name) {
      if let patch = patches[tensor.name] {
        tensors.append(try TensorInfo(name: tensor.name, dtype: patch.dtype, shape: patch.shape))
      } else {
        tensors.append(tensor)
      }
      contents.append(patches[tensor.name]?.bytes)
      indices.append(index)
    }
    self.tensors = tensors
    self.contents = contents
    self.indices = indices
    self.metadata = metadata
  }

  var path: String { "patched" }
  var container: Container { .safetensors }
  var findings: [Fault] { [] }
  var files: [InputFile] { [] }

  func extent(of index: Int) -> FileExtent? { nil }

  func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    guard let bytes = contents[index] else {
      return try base.read(indices[index], at: offset, into: &buffer)
    }
    for position in 0..<buffer.byteCount {
      buffer.storeBytes(of: bytes[offset + position], toByteOffset: position, as: UInt8.self)
    }
  }

  /// The bytes of a tensor of the unpatched model.
  func original(_ name: TensorName) throws -> (info: TensorInfo, bytes: [UInt8]) {
    let index = base.tensors.firstIndex { $0.name == name } ?? 0
    return (base.tensors[index], try base.bytes(of: index))
  }
}
