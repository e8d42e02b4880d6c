/// Model stock: how far to go from the base towards the mean of the models.
enum Stock {
  /// `Nc / (1 + (N − 1)c)`, where c is the mean cosine of the angles between N differences.
  ///
  /// 0 where the denominator vanishes, as mergekit has it.
  static func share(cosine: Double, of count: Int) -> Double {
    let denominator = 1 + Double(count - 1) * cosine
    return denominator.magnitude < 1e-6 ? 0 : Double(count) * cosine / denominator
  }

  /// Writes `B + t·(mean of Mᵢ − B)` for the values in `range`.
  static func merge(
    _ operands: Operands, _ range: Range<Int>, into output: inout MutableSpan<Float>
  ) {
    let base = operands[0]
    let count = operands.count - 1
    let start = range.lowerBound
    func product(_ first: Int, _ second: Int) -> Double {
      let (x, y) = (operands[first], operands[second])
      return Sums.sum(range.count) { i in
        let origin = Double(base[start + i])
        return (Double(x[start + i]) - origin) * (Double(y[start + i]) - origin)
      }
    }
    let lengths = (1...count).map { product($0, $0).squareRoot() }
    var cosines = 0.0
    for first in 1...count {
      for second in first + 1..<count + 1 {
        let cosine = product(first, second) / max(lengths[first - 1] * lengths[second - 1], 1e-6)
        cosines += min(1, max(-1, cosine))
      }
    }
    let share = share(cosine: cosines / Double(count * (count - 1) / 2), of: count)
    for i in range {
      var sum = 0.0
      for model in 1...count { sum += Double(operands[model][i]) }
      output[i] = Float(Arithmetic.lerp(Double(base[i]), sum / Double(count), share))
    }
  }
}
