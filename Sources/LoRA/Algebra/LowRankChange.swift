import Tensors

/// `ΔW = up · down`, with the strength in `up`.
struct LowRankChange: WeightChange {
  /// `[out, r]`.
  let up: [Float]
  /// `[r, columns]`.
  let down: ThinMatrix

  func add(
    _ rows: Range<Int>, of weight: Span<Float>, to change: inout MutableSpan<Float>
  ) throws(Fault) {
    let rank = down.rank
    down.addProduct(
      of: up.span.extracting(rows.lowerBound * rank..<rows.upperBound * rank), into: &change)
  }
}

/// The product of two products, value by value: LoHa.
struct HadamardChange: WeightChange {
  let first: LowRankChange
  let second: LowRankChange

  func add(
    _ rows: Range<Int>, of weight: Span<Float>, to change: inout MutableSpan<Float>
  ) throws(Fault) {
    var a = [Float](repeating: 0, count: change.count)
    var b = a
    var aSpan = a.mutableSpan
    try first.add(rows, of: weight, to: &aSpan)
    var bSpan = b.mutableSpan
    try second.add(rows, of: weight, to: &bSpan)
    for index in 0..<change.count { change[index] += aSpan[index] * bSpan[index] }
  }
}

/// `ΔW = left ⊗ right`, with the strength in `left`.
struct KroneckerChange: WeightChange {
  /// `[rows, columns]` of the left side.
  let left: [Float]
  let leftColumns: Int
  /// The same of the right side.
  let right: [Float]
  let rightRows: Int
  let rightColumns: Int

  func add(
    _ rows: Range<Int>, of weight: Span<Float>, to change: inout MutableSpan<Float>
  ) throws(Fault) {
    let columns = leftColumns * rightColumns
    for (position, row) in rows.enumerated() {
      let (upper, lower) = row.quotientAndRemainder(dividingBy: rightRows)
      let source = right.span.extracting(lower * rightColumns..<(lower + 1) * rightColumns)
      for outer in 0..<leftColumns {
        let factor = left[upper * leftColumns + outer]
        guard factor != 0 else { continue }
        let start = position * columns + outer * rightColumns
        var target = change._mutatingExtracting(start..<start + rightColumns)
        for index in 0..<rightColumns { target[index] += factor * source[index] }
      }
    }
  }
}
