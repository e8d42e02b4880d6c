package import Tensors

/// A tensor of an adapter: where its values are, not the values.
///
///     let values = try file.values(of: factor)
public struct Factor: Hashable, Sendable {
  /// The position of the tensor in `TensorSource.tensors`.
  public let tensor: Int
  /// Its size along each axis, as the file has it.
  public let shape: [Int]

  /// The tensor at `tensor`, of the given shape.
  public init(tensor: Int, shape: [Int]) {
    self.tensor = tensor
    self.shape = shape
  }

  /// The number of values; tensors of a source never overflow it.
  public var elementCount: Int { shape.reduce(1, &*) }
  /// The first extent: rows of the matrix that it is.
  public var rows: Int { shape.first ?? 1 }
  /// The product of all extents but the first: columns of the matrix that it is.
  public var columns: Int { shape.dropFirst().reduce(1, &*) }
}

extension TensorSource {
  /// The values of one tensor as single-precision numbers, in the order of the tensor.
  ///
  /// - Throws: what reading throws; ``Rule/loraType`` for values that are no numbers.
  package func singles(of index: Int) throws(Fault) -> [Float] {
    let info = tensors[index]
    guard let conversion = Conversion(from: info.dtype, to: .f32) else {
      throw Fault(
        .loraType, "has values that cannot be computed with", path: path, tensor: info.name,
        expected: "floating-point numbers", found: info.dtype.name)
    }
    let stored = try bytes(of: index)
    var values = [Float](repeating: 0, count: info.elementCount)
    var span = values.mutableSpan
    var output = unsafe span.mutableBytes
    unsafe conversion.convert(stored.span.bytes, into: &output)
    return values
  }
}

extension TensorSource {
  /// The values of a small tensor as double-precision numbers.
  package func doubles(of index: Int) throws(Fault) -> [Double] {
    let info = tensors[index]
    guard let conversion = Conversion(from: info.dtype, to: .f64) else {
      return try singles(of: index).map { Double($0) }
    }
    let stored = try bytes(of: index)
    var values = [Double](repeating: 0, count: info.elementCount)
    var span = values.mutableSpan
    var output = unsafe span.mutableBytes
    unsafe conversion.convert(stored.span.bytes, into: &output)
    return values
  }
}

extension TensorSource {
  /// A range of the values of a tensor as single-precision numbers.
  package func singles(of index: Int, _ range: Range<Int>) throws(Fault) -> [Float] {
    let info = tensors[index]
    guard let conversion = Conversion(from: info.dtype, to: .f32), let size = info.dtype.byteCount
    else {
      throw Fault(
        .loraType, "has values that cannot be computed with", path: path, tensor: info.name,
        expected: "floating-point numbers", found: info.dtype.name)
    }
    let stored = Buffer(byteCount: max(1, range.count * size))
    var bytes = stored.bytes(range.count * size)
    try read(index, at: range.lowerBound * size, into: &bytes)
    var values = [Float](repeating: 0, count: range.count)
    var span = values.mutableSpan
    var output = unsafe span.mutableBytes
    conversion.convert(bytes.bytes, into: &output)
    return values
  }
}

extension TensorSource {
  /// A range of the values of a tensor as double-precision numbers.
  package func doubles(of index: Int, _ range: Range<Int>) throws(Fault) -> [Double] {
    let dtype = tensors[index].dtype
    guard let conversion = Conversion(from: dtype, to: .f64), let size = dtype.byteCount else {
      return try singles(of: index, range).map { Double($0) }
    }
    let stored = Buffer(byteCount: max(1, range.count * size))
    var bytes = stored.bytes(range.count * size)
    try read(index, at: range.lowerBound * size, into: &bytes)
    var values = [Double](repeating: 0, count: range.count)
    var span = values.mutableSpan
    var output = unsafe span.mutableBytes
    conversion.convert(bytes.bytes, into: &output)
    return values
  }
}
