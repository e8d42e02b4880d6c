/// Numbers with a shape: what goes into a network and what comes out of it.
///
///     let latent = FloatArray([1, 4, 64, 64])   // zeros
///
/// Values lie row by row: the last axis changes fastest.
public struct FloatArray: Hashable, Sendable {
  /// The size along each axis, outermost first.
  public private(set) var shape: [Int]
  /// The values; as many as the product of ``shape``.
  public var values: [Float] {
    didSet { precondition(values.count == oldValue.count, "the number of values is fixed") }
  }

  /// An array of the given shape.
  ///
  /// - Parameters:
  ///   - shape: the size along each axis.
  ///   - values: as many values as the product of `shape`.
  public init(_ shape: [Int], _ values: [Float]) {
    precondition(shape.reduce(1, *) == values.count, "a shape for another number of values")
    self.shape = shape
    self.values = values
  }

  /// An array of `value`, zero unless given.
  public init(_ shape: [Int], repeating value: Float = 0) {
    self.init(shape, [Float](repeating: value, count: shape.reduce(1, *)))
  }

  /// The same values with another shape.
  ///
  /// - Parameter shape: a shape with the same number of values.
  /// - Returns: the array seen so; nothing is moved.
  public func reshaped(_ shape: [Int]) -> FloatArray { FloatArray(shape, values) }
}
