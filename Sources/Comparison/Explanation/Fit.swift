import Tensors

/// The least-squares fit of one weight: y ≈ w·x, from sums over values.
///
/// For a weighted sum x is B − A, for an added difference B − C; y is RESULT − A.
public struct WeightFit: Hashable, Sendable {
  /// The sum of x².
  public private(set) var xx = 0.0
  /// The sum of x·y.
  public private(set) var xy = 0.0
  /// The sum of y².
  public private(set) var yy = 0.0
  /// The sum of the squared distances of the result's values to their neighbours.
  public private(set) var squaredSpacings = 0.0
  /// The number of values.
  public private(set) var count = 0

  /// No values.
  public init() {}

  init(xx: Double, xy: Double, yy: Double, squaredSpacings: Double, count: Int) {
    (self.xx, self.xy, self.yy) = (xx, xy, yy)
    self.squaredSpacings = squaredSpacings
    self.count = count
  }

  /// Includes other values.
  public mutating func append(_ next: WeightFit) {
    xx += next.xx
    xy += next.xy
    yy += next.yy
    squaredSpacings += next.squaredSpacings
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
  ///
  /// A rounded value is off by at most half a spacing, and by one twelfth of its square in the mean.
  public var expectedResidual: Double { squaredSpacings / 12 + 1e-13 * (xx + yy) }

  /// The standard deviation of the weight.
  public var uncertainty: Double? {
    guard weight != nil, count > 1 else { return nil }
    return (max(residual, expectedResidual) / Double(count - 1) / xx).squareRoot()
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
