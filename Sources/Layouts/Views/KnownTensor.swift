import SafeTensors
import Tensors

/// One tensor whose values are known without any file.
struct KnownTensor: TensorSource {
  let tensors: [TensorInfo]
  private let values: [UInt8]

  /// A tensor with these little-endian bytes.
  init(_ info: TensorInfo, values: [UInt8]) {
    precondition(info.byteCount == values.count)
    tensors = [info]
    self.values = values
  }

  var path: String { "" }
  var container: Container { .safetensors }
  var metadata: [MetadataEntry] { [] }
  var findings: [Fault] { [] }
  var files: [InputFile] { [] }

  func extent(of index: Int) -> FileExtent? { nil }

  func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    for position in 0..<buffer.byteCount {
      buffer.storeBytes(of: values[offset + position], toByteOffset: position, as: UInt8.self)
    }
  }
}

extension KnownTensor {
  /// The positions of `count` tokens as int64 `[1, count]`, which are 0, 1, 2 and so on.
  static func positionIDs(count: Int, name: TensorName) throws(Fault) -> KnownTensor {
    let info: TensorInfo
    do {
      info = try TensorInfo(name: name, dtype: .i64, shape: [1, count])
    } catch {
      throw Fault(.sizeOverflow, "would be too large", tensor: name)
    }
    let values = (0..<count).flatMap { position in
      (0..<8).map { UInt8(truncatingIfNeeded: position >> (8 * $0)) }
    }
    return KnownTensor(info, values: values)
  }
}
