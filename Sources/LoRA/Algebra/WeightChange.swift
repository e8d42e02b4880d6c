import Tensors

/// A change of a weight, ready to be computed for some rows at a time.
///
/// A weight is a matrix here: outputs by everything else.
protocol WeightChange: Sendable {
  /// How many rows depend on one another: rows are asked for in multiples of it, from one on.
  var rowGroup: Int { get }

  /// Adds the change of some rows.
  ///
  /// - Parameters:
  ///   - rows: which rows; they begin at a multiple of ``rowGroup``.
  ///   - weight: those rows as they are, `rows.count × columns` values.
  ///   - change: what to add to, of the same size.
  /// - Throws: what reading throws.
  func add(
    _ rows: Range<Int>, of weight: Span<Float>, to change: inout MutableSpan<Float>
  ) throws(Fault)
}

extension WeightChange {
  var rowGroup: Int { 1 }
}

extension Array<Float> {
  /// Rows of a matrix whose rows are `columns` long, each value times `factor` in double precision.
  func scaled(by factor: Double) -> [Float] {
    factor == 1 ? self : map { Float(Double($0) * factor) }
  }
}

extension Span<Float> {
  /// The values in memory of their own.
  var values: [Float] {
    var values: [Float] = []
    values.reserveCapacity(count)
    for index in 0..<count { values.append(self[index]) }
    return values
  }
}
