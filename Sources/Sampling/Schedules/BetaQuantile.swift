import Glibc

/// The number below which a share `probability` of the beta distribution lies.
///
/// Found by halving to full precision: the distribution grows with its argument.
func betaQuantile(_ probability: Double, a: Double, b: Double) -> Double {
  guard probability > 0 else { return 0 }
  guard probability < 1 else { return 1 }
  var low = 0.0, high = 1.0
  for _ in 0..<200 {
    let middle = (low + high) / 2
    if middle == low || middle == high { break }
    if betaDistribution(middle, a: a, b: b) < probability { low = middle } else { high = middle }
  }
  return (low + high) / 2
}

/// The regularised incomplete beta function I_x(a, b).
private func betaDistribution(_ x: Double, a: Double, b: Double) -> Double {
  guard x > 0 else { return 0 }
  guard x < 1 else { return 1 }
  // The fraction converges fast below the mean; above it, the other tail is computed.
  if x > (a + 1) / (a + b + 2) { return 1 - betaDistribution(1 - x, a: b, b: a) }
  let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
  return front / continuedFraction(x, a: a, b: b)
}

/// The denominator of the continued fraction of the incomplete beta function, by Lentz's method.
///
/// Source: DLMF 8.17.22.
private func continuedFraction(_ x: Double, a: Double, b: Double) -> Double {
  var value = 1.0, c = 1.0, d = 0.0
  for index in 1...300 {
    let m = Double(index / 2)
    let term =
      index % 2 == 0
      ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / nonzero(1 + term * d)
    c = nonzero(1 + term / c)
    value *= c * d
    if abs(c * d - 1) < 1e-16 { break }
  }
  return value
}

private func nonzero(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }
