import Tensors

/// The least-squares fit of one weight: y ≈ w·x, from sums over values.
///
/// For a weighted sum x is B − A, for an added difference B − C; y is RESULT − A. Each tensor's values
/// count in units of the error that rounding its results is expected to leave, so that tensors with
/// small values, which are stored more finely, count as much as they are worth: where models hardly
/// differ, changes of values near 1 are only a few units in the last place, and rounding them is no
/// noise without direction.
public struct WeightFit: Hashable, Sendable {
  /// The sum of x², in squared errors of rounding, as the sums below.
  public private(set) var xx = 0.0
  /// The sum of x·y.
  public private(set) var xy = 0.0
  /// The sum of y².
  public private(set) var yy = 0.0
  /// The number of values.
  public private(set) var count = 0

  /// No values.
  public init() {}

  /// The sums of one tensor, and the sum of the squared distances of its values to their neighbours.
  ///
  /// A rounded value is off by at most half such a distance, and by one twelfth of its square in the
  /// mean.
  init(xx: Double, xy: Double, yy: Double, squaredSpacings: Double, count: Int) {
    let variance = count > 0 && squaredSpacings > 0 ? squaredSpacings / 12 / Double(count) : 1
    (self.xx, self.xy, self.yy) = (xx / variance, xy / variance, yy / variance)
    self.count = count
  }

  /// Includes other values.
  public mutating func append(_ next: WeightFit) {
    xx += next.xx
    xy += next.xy
    yy += next.yy
    count += next.count
  }

  /// The weight, or `nil` where the inputs do not differ.
  public var weight: Double? { xx > 0 && xx.isFinite && xy.isFinite ? xy / xx : nil }

  /// The sum of the squares that `weight` leaves over.
  public func residual(at weight: Double) -> Double {
    max(0, yy - 2 * weight * xy + weight * weight * xx)
  }

  /// What remains of the squares under the best weight.
  public var residual: Double { residual(at: weight ?? 0) }

  /// The squares that rounding the result to its type, and the sums themselves, leave over.
  public var expectedResidual: Double { Double(count) + 1e-13 * (xx + yy) }

  /// How far the weight may be off: its standard deviation, and what rounding does in one direction.
  ///
  /// Where the inputs are k units in the last place apart, multiples of a weight near a fraction
  /// like 1/3 are rounded as if it were that fraction; measured on random values, this moves a
  /// weight by up to 1/(2k²) in the mean. A weight less than 1/(2k) from 0 or 1 is rounded to it.
  public var uncertainty: Double? {
    guard let weight, count > 1 else { return nil }
    let variance = max(residual, expectedResidual) / Double(count - 1) / xx
    let units = (xx / 12 / Double(count)).squareRoot()
    let isNearWhole = abs(weight - weight.rounded()) < 0.5 / units
    let drift = isNearWhole ? 0.5 / units : 0.5 / (units * units)
    return (variance + drift * drift).squareRoot()
  }

  /// The root of ``residual`` relative to what rounding is expected to leave: about 1 where the
  /// formula is exact.
  public func roundingRatio(at weight: Double?) -> Double {
    let found = residual(at: weight ?? self.weight ?? 0)
    guard found > 0 else { return 0 }
    return expectedResidual > 0 ? (found / expectedResidual).squareRoot() : .infinity
  }
}

/// How well a formula explains values.
public enum FitQuality: String, CaseIterable, Sendable {
  /// All bytes are those of the first model.
  case equalsA = "equal-to-a"
  /// All bytes are those of the second model.
  case equalsB = "equal-to-b"
  /// What is left over is what rounding leaves.
  case exact
  /// A few times what rounding leaves: the merge was computed in half precision, or from models
  /// stored more precisely.
  case close
  /// More than that: something else was done.
  case poor
  /// The inputs are the same here, so that any weight gives the same.
  case undetermined

  /// Whether a weight explains the values.
  public var fits: Bool { self != .poor }

  /// By the ratio to the residual of rounding: exact up to 1.5, close up to 8.
  init(ratio: Double) { self = ratio <= 1.5 ? .exact : ratio <= 8 ? .close : .poor }
}
