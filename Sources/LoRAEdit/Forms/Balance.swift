import LinearAlgebra
import Tensors

extension LowRank {
  /// The same change times `factor`, with every column of `up` about as long as the row of `down`
  /// that it meets.
  ///
  /// A weak change then keeps its digits in half precision, where one small factor would fall
  /// below the least number and become zero. Powers of two go from one factor to the other, so that
  /// nothing is rounded but by `factor` itself.
  func balanced(by factor: Double = 1) -> LowRank {
    guard factor != 0, factor.isFinite else {
      return LowRank(up: up.scaled(by: Float(factor)), down: down)
    }
    let width = down.columns
    var squares = (
      up: [Double](repeating: 0, count: rank), down: [Double](repeating: 0, count: rank)
    )
    for row in 0..<up.rows {
      for column in 0..<rank {
        let value = Double(up.values[row * rank + column])
        squares.up[column] += value * value
      }
    }
    for row in 0..<rank {
      var sum = 0.0
      for column in 0..<width {
        let value = Double(down.values[row * width + column])
        sum += value * value
      }
      squares.down[row] = sum
    }
    var factors = (up: [Double](), down: [Double]())
    for index in 0..<rank {
      let (a, b) = (squares.up[index].squareRoot(), squares.down[index].squareRoot())
      var exponent = 0
      if a > 0, b > 0, a.isFinite, b.isFinite {
        exponent = (b.exponent - a.exponent - factor.exponent) / 2
      }
      factors.up.append(factor * Double(sign: .plus, exponent: exponent, significand: 1))
      factors.down.append(Double(sign: .plus, exponent: -exponent, significand: 1))
    }
    let isUnchanged = factors.up.allSatisfy { $0 == 1 } && factors.down.allSatisfy { $0 == 1 }
    return isUnchanged ? self : scaled(factors)
  }

  /// Columns of `up` and rows of `down` times numbers of their own.
  private func scaled(_ factors: (up: [Double], down: [Double])) -> LowRank {
    var result = self
    for row in 0..<up.rows {
      for column in 0..<rank {
        let index = row * rank + column
        result.up.values[index] = Float(Double(up.values[index]) * factors.up[column])
      }
    }
    for row in 0..<rank where factors.down[row] != 1 {
      for index in row * down.columns..<(row + 1) * down.columns {
        result.down.values[index] = Float(Double(down.values[index]) * factors.down[row])
      }
    }
    return result
  }

  /// The exponent of the power of two that both factors are multiplied by to suit half precision;
  /// 0 where they do already.
  ///
  /// Half precision loses digits below 2⁻¹⁴; balanced factors whose largest value is 2⁻⁶ or more
  /// have nearly all of theirs above that.
  var halfPrecisionShift: Int {
    var largest: Float = 0
    for value in up.values { largest = max(largest, value.magnitude) }
    for value in down.values { largest = max(largest, value.magnitude) }
    guard largest > 0, largest.isFinite, !(0x1p-6..<0x1p14).contains(largest) else { return 0 }
    return -1 - Int(largest.exponent)
  }

  /// Both factors times 2^`exponent`.
  func shifted(by exponent: Int) -> LowRank {
    guard exponent != 0 else { return self }
    let factor = Double(sign: .plus, exponent: exponent, significand: 1)
    let all = [Double](repeating: factor, count: rank)
    return scaled((up: all, down: all))
  }

  /// ‖up·down − up'·down'‖² for factors that differ by rounding, without either product.
  ///
  /// With E = up' − up and F = down' − down it is ‖E·down + up'·F‖²: sums of small numbers, in which
  /// nothing cancels.
  func squaredDistance(to rounded: LowRank, _ algebra: LinearAlgebra) throws(Fault) -> Double {
    guard self != rounded else { return 0 }
    var (e, f) = (rounded.up.doubles, rounded.down.doubles)
    e.subtract(up.doubles)
    f.subtract(down.doubles)
    let (d, u) = (down.doubles, rounded.up.doubles)
    func sum(_ a: Matrix<Double>, _ b: Matrix<Double>) -> Double {
      var total = 0.0
      for index in a.values.indices { total += a.values[index] * b.values[index] }
      return total
    }
    let ee = try algebra.product(e, e, transposingA: true)
    let dd = try algebra.product(d, d, transposingB: true)
    let uu = try algebra.product(u, u, transposingA: true)
    let ff = try algebra.product(f, f, transposingB: true)
    let eu = try algebra.product(e, u, transposingA: true)
    let df = try algebra.product(d, f, transposingB: true)
    return max(0, sum(ee, dd) + 2 * sum(eu, df) + sum(uu, ff))
  }
}
