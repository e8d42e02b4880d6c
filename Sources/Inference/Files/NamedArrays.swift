public import Tensors

/// Arrays under names, as a file's tensors in single precision.
///
///     let arrays = try NamedArrays([("noise", noise)])
///     try SafeTensorsFile.write(arrays, to: "out.safetensors", metadata: nil, width: 1)
public struct NamedArrays: TensorSource {
  /// The arrays, in the order given.
  public let arrays: [(name: String, value: FloatArray)]
  /// One F32 tensor for each array.
  public let tensors: [TensorInfo]

  /// Names arrays.
  ///
  /// - Throws: ``Rule/outOfMemory`` if one is too large for any file.
  public init(_ arrays: [(name: String, value: FloatArray)]) throws(Fault) {
    self.arrays = arrays
    var tensors: [TensorInfo] = []
    for (name, value) in arrays {
      guard let info = try? TensorInfo(name: TensorName(name), dtype: .f32, shape: value.shape)
      else { throw .noMemory() }
      tensors.append(info)
    }
    self.tensors = tensors
  }

  /// None.
  public var path: String { "" }
  /// As if it were a file.
  public var container: Container { .safetensors }
  /// None.
  public var metadata: [MetadataEntry] { [] }
  /// None.
  public var findings: [Fault] { [] }
  /// None.
  public var files: [InputFile] { [] }

  /// Always `nil`: the values are in memory.
  public func extent(of index: Int) -> FileExtent? { nil }

  /// Copies values, little-endian.
  public func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    let count = buffer.byteCount
    unsafe arrays[index].value.values.withUnsafeBytes { values in
      unsafe buffer.withUnsafeMutableBytes { target in
        unsafe target.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: values[offset..<offset + count]))
      }
    }
  }
}

extension FloatArray {
  /// Reads a tensor of any type as single precision.
  ///
  /// - Throws: ``Rule/badInput`` when its values cannot be converted, and what reading throws.
  public init(_ source: any TensorSource, _ index: Int) throws(Fault) {
    let info = source.tensors[index]
    guard let conversion = Conversion(from: info.dtype, to: .f32) else {
      throw Fault(
        .badInput, "has a type that cannot be computed with", path: source.path,
        tensor: info.name, found: info.dtype.name)
    }
    self.init(info.shape)
    let bytes = try source.bytes(of: index)
    guard info.elementCount > 0 else { return }
    unsafe values.withUnsafeMutableBytes { target in
      var span = unsafe MutableRawSpan(_unsafeBytes: target)
      unsafe conversion.convert(bytes.span.bytes, into: &span)
    }
  }
}
