import Tensors

/// DoRA: `ΔW = m · (s · V / ‖V‖ − W)`, where `V` is the weight with the whole change inside.
///
/// A strength of 0 leaves the weight as it is. Norms are taken in double precision.
struct DecomposedChange: WeightChange {
  /// What is multiplied, row by row or column by column.
  enum Lengths: Sendable {
    /// The magnitude of each row; the norm is that of the row.
    case rows([Double], epsilon: Double)
    /// `s / ‖V‖` of each input.
    case columns([Double])
    /// The magnitude of each row, and `1 / ‖V‖` of each input.
    case rowsAndColumns([Double], [Double])
    /// The same of each row, divided by the norm of the weight before the change.
    case rowsOfBase([Double], epsilon: Double)
  }

  let inner: [any WeightChange]
  let lengths: Lengths
  let strength: Double
  let columns: Int
  /// The values of one input: the kernel.
  let kernel: Int

  var rowGroup: Int { inner.map(\.rowGroup).max() ?? 1 }

  func add(
    _ rows: Range<Int>, of weight: Span<Float>, to change: inout MutableSpan<Float>
  ) throws(Fault) {
    let values = try Self.decomposed(rows, inner, weight)
    for (position, row) in rows.enumerated() {
      let range = position * columns..<(position + 1) * columns
      switch lengths {
      case .rows(let magnitudes, let epsilon):
        let norm = Self.norm(values.span.extracting(range)) + epsilon
        scale(range, values, weight, norm > 0 ? magnitudes[row] / norm : 0, &change)
      case .rowsOfBase(let magnitudes, let epsilon):
        let norm = Self.norm(weight.extracting(range)) + epsilon
        scale(range, values, weight, norm > 0 ? magnitudes[row] / norm : 0, &change)
      case .rowsAndColumns(let magnitudes, let factors):
        for index in range {
          let factor = magnitudes[row] * factors[(index - range.lowerBound) / kernel]
          change[index] += Float(
            strength * (Double(values[index]) * factor - Double(weight[index])))
        }
      case .columns(let factors):
        for index in range {
          let factor = factors[(index - range.lowerBound) / kernel]
          change[index] += Float(
            strength * (Double(values[index]) * factor - Double(weight[index])))
        }
      }
    }
  }

  private func scale(
    _ range: Range<Int>, _ values: [Float], _ weight: Span<Float>, _ factor: Double,
    _ change: inout MutableSpan<Float>
  ) {
    for index in range {
      change[index] += Float(strength * (Double(values[index]) * factor - Double(weight[index])))
    }
  }

  /// `V` of some rows.
  static func decomposed(
    _ rows: Range<Int>, _ inner: [any WeightChange], _ weight: Span<Float>
  ) throws(Fault) -> [Float] {
    var delta = [Float](repeating: 0, count: weight.count)
    var span = delta.mutableSpan
    for change in inner { try change.add(rows, of: weight, to: &span) }
    for index in 0..<span.count { span[index] += weight[index] }
    return delta
  }

  static func norm(_ values: Span<Float>) -> Double {
    var sum = 0.0
    for index in 0..<values.count { sum += Double(values[index]) * Double(values[index]) }
    return sum.squareRoot()
  }
}
