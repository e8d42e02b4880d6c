/// Powers and angles, computed with nothing but operations that IEEE 754 defines to the last bit.
///
/// The C library picks its functions by the processor it runs on, and they may differ in the last
/// bit; these do not. They are right to about 1 part in 10¹⁵, `power` to 1 part in 10¹³ at the far
/// ends of the range.
package enum Elementary {
  /// `x` to the power `y`, for `x ≥ 0`; as in C, anything to the power 0 is 1.
  package static func power(_ x: Double, _ y: Double) -> Double {
    if y == 0 || x == 1 { return 1 }
    if y == 1 { return x }
    guard x > 0, x.isFinite else { return x.isNaN ? x : (x == 0) == (y > 0) ? 0 : .infinity }
    let product = y * log2(x)
    return exp2(product)
  }

  /// The logarithm to base 2 of a positive, finite number.
  package static func log2(_ x: Double) -> Double {
    var exponent = Double(x.exponent)
    var m = x.significand
    if m > 1.414_213_562_373_095_1 {
      m /= 2
      exponent += 1
    }
    // ln m = 2 artanh s, with |s| < 0.172.
    let s = (m - 1) / (m + 1)
    let square = s * s
    var sum = 1.0 / 21
    sum = sum * square + 1.0 / 19
    sum = sum * square + 1.0 / 17
    sum = sum * square + 1.0 / 15
    sum = sum * square + 1.0 / 13
    sum = sum * square + 1.0 / 11
    sum = sum * square + 1.0 / 9
    sum = sum * square + 1.0 / 7
    sum = sum * square + 1.0 / 5
    sum = sum * square + 1.0 / 3
    sum = sum * square + 1
    return exponent + 2 * s * sum * 1.442_695_040_888_963_4
  }

  /// 2 to the power `x`.
  package static func exp2(_ x: Double) -> Double {
    guard x < 1025 else { return .infinity }
    guard x > -1080 else { return 0 }
    let whole = x.rounded()
    let t = (x - whole) * 0.693_147_180_559_945_3
    // Σ tᵏ/k!, the constants folded by the compiler.
    var sum = 1.0 / 87_178_291_200
    sum = sum * t + 1.0 / 6_227_020_800
    sum = sum * t + 1.0 / 479_001_600
    sum = sum * t + 1.0 / 39_916_800
    sum = sum * t + 1.0 / 3_628_800
    sum = sum * t + 1.0 / 362_880
    sum = sum * t + 1.0 / 40_320
    sum = sum * t + 1.0 / 5040
    sum = sum * t + 1.0 / 720
    sum = sum * t + 1.0 / 120
    sum = sum * t + 1.0 / 24
    sum = sum * t + 1.0 / 6
    sum = sum * t + 1.0 / 2
    sum = (sum * t + 1) * t + 1
    return Double(sign: .plus, exponent: Int(whole), significand: sum)
  }

  /// The sine of an angle between −2π and 2π.
  package static func sine(_ x: Double) -> Double {
    let folded = x > .pi / 2 ? .pi - x : x < -.pi / 2 ? -.pi - x : x
    let square = folded * folded
    var sum = 1.0
    for k in stride(from: 24, through: 2, by: -2) { sum = 1 - square * sum / Double(k * (k + 1)) }
    return folded * sum
  }

  /// The angle between 0 and π whose cosine is `x`, for `x` in −1…1.
  package static func arcCosine(_ x: Double) -> Double {
    guard x > -1 else { return .pi }
    return 2 * arcTangent(((1 - x) / (1 + x)).squareRoot())
  }

  /// The angle between 0 and π/2 whose tangent is `x`, for `x ≥ 0`.
  private static func arcTangent(_ x: Double) -> Double {
    guard x.isFinite else { return .pi / 2 }
    var y = x
    for _ in 0..<3 { y /= 1 + (1 + y * y).squareRoot() }
    // y ≤ tan(π/16) < 0.2.
    let square = y * y
    var sum = 0.0
    for k in stride(from: 25, through: 1, by: -2) { sum = 1 / Double(k) - square * sum }
    return 8 * y * sum
  }
}
