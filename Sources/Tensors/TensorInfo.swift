/// What a file says about one tensor, without its values.
public struct TensorInfo: Hashable, Sendable {
  /// The name in the file.
  public let name: TensorName
  /// How its values are stored.
  public let dtype: DType
  /// Its size along each axis, outermost first; empty for a single number.
  public let shape: [Int]
  /// The number of values: the product of ``shape``.
  public let elementCount: Int
  /// The bytes its values take when they lie one after another.
  public let byteCount: Int

  /// A tensor of the given type and shape.
  ///
  /// - Throws: ``DType/SizeError`` when the size overflows or is not a whole number of bytes.
  public init(name: TensorName, dtype: DType, shape: [Int]) throws(DType.SizeError) {
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, extent >= 0 else { throw .overflow }
      count = product
    }
    self.name = name
    self.dtype = dtype
    self.shape = shape
    elementCount = count
    byteCount = try dtype.byteCount(of: count)
  }

  /// The same tensor under another name.
  public func renamed(_ name: TensorName) -> TensorInfo {
    TensorInfo(self, name: name, shape: shape)
  }

  /// The same values seen with another shape, or `nil` if it holds another number of them.
  public func reshaped(_ shape: [Int]) -> TensorInfo? {
    let count = shape.reduce(into: 1 as Int?) { product, extent in
      let result = product?.multipliedReportingOverflow(by: extent)
      product = result.flatMap { $0.overflow ? nil : $0.partialValue }
    }
    return count == elementCount ? TensorInfo(self, name: name, shape: shape) : nil
  }

  private init(_ other: TensorInfo, name: TensorName, shape: [Int]) {
    self.name = name
    dtype = other.dtype
    self.shape = shape
    elementCount = other.elementCount
    byteCount = other.byteCount
  }
}
