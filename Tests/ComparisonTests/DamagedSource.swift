import Tensors

/// A model of which some tensors are missing, and others hold nothing but NaN.
struct DamagedSource: TensorSource {
  let base: any TensorSource
  /// The tensors that hold NaN.
  var spoiled: Set<TensorName> = []
  /// The tensors that are missing.
  var removed: Set<TensorName> = []

  init(_ base: any TensorSource) { self.base = base }

  private var indices: [Int] {
    base.tensors.indices.filter { !removed.contains(base.tensors[$0].name) }
  }

  var path: String { "damaged" }
  var container: Container { .safetensors }
  var tensors: [TensorInfo] { indices.map { base.tensors[$0] } }
  var metadata: [MetadataEntry] { [] }
  var findings: [Fault] { [] }
  var files: [InputFile] { [] }

  func extent(of index: Int) -> FileExtent? { nil }

  func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    let own = indices[index]
    guard spoiled.contains(base.tensors[own].name) else {
      return try base.read(own, at: offset, into: &buffer)
    }
    for position in 0..<buffer.byteCount {
      // All bits set is NaN in every type.
      buffer.storeBytes(of: 0xFF, toByteOffset: position, as: UInt8.self)
    }
  }
}
