/// Sums over many values, in `Double`.
///
/// Eight partial sums are kept and added at the end, always in the same order, so that the result
/// does not depend on the width of the processor's vectors.
enum Sums {
  /// `Σ aᵢbᵢ`.
  static func dot(_ a: Span<Float>, _ b: Span<Float>) -> Double {
    precondition(a.count == b.count)
    return sum(a.count) { Double(a[$0]) * Double(b[$0]) }
  }

  /// `√Σ aᵢ²`.
  static func norm(_ a: Span<Float>) -> Double { dot(a, a).squareRoot() }

  /// The sum of `term(i)` for all `i` below `count`.
  @inline(__always)
  static func sum(_ count: Int, _ term: (Int) -> Double) -> Double {
    var lanes = SIMD8<Double>.zero
    var i = 0
    while i + 8 <= count {
      lanes += SIMD8(
        term(i), term(i + 1), term(i + 2), term(i + 3), term(i + 4), term(i + 5), term(i + 6),
        term(i + 7))
      i += 8
    }
    while i < count {
      lanes[i % 8] += term(i)
      i += 1
    }
    let four = lanes.lowHalf + lanes.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }
}

/// `Σ aᵢbᵢ`, `Σ aᵢ²` and `Σ bᵢ²` of two vectors.
struct Products {
  var dot = 0.0, a = 0.0, b = 0.0

  /// Adds one pair of values.
  @inline(__always)
  mutating func add(_ x: Double, _ y: Double) {
    dot += x * y
    a += x * x
    b += y * y
  }

  /// The cosine of the angle, with PyTorch's guard against division by zero, inside −1…1.
  var cosine: Double {
    let floor = 1e-8
    return min(1, max(-1, dot / (max(a.squareRoot(), floor) * max(b.squareRoot(), floor))))
  }
}
