import Tensors

/// A change of the first columns of a weight: of the channels of the picture in the first
/// convolution of a model for inpainting.
struct NarrowChange: WeightChange {
  let inner: any WeightChange
  /// The columns of the weight.
  let columns: Int
  /// The columns that change.
  let part: Int

  var rowGroup: Int { inner.rowGroup }

  func add(
    _ rows: Range<Int>, of weight: Span<Float>, to change: inout MutableSpan<Float>
  ) throws(Fault) {
    let own = Self.leading(part, of: columns, weight)
    var delta = [Float](repeating: 0, count: own.count)
    var span = delta.mutableSpan
    try inner.add(rows, of: own.span, to: &span)
    for row in 0..<rows.count {
      for column in 0..<part { change[row * columns + column] += span[row * part + column] }
    }
  }

  /// The first `part` of every `columns` values.
  static func leading(_ part: Int, of columns: Int, _ values: Span<Float>) -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(values.count / columns * part)
    for start in stride(from: 0, to: values.count, by: columns) {
      for column in 0..<part { result.append(values[start + column]) }
    }
    return result
  }
}
