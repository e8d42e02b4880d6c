/// What comparing values one by one finds: counts and sums that can be added up.
///
/// `a` is the first model, `b` the second. Sums are over pairs of which both are finite; they are
/// formed in double precision in a fixed order, so that they have the same bits everywhere.
public struct DifferenceMeasures: Hashable, Sendable {
  /// The number of pairs of values.
  public internal(set) var valueCount = 0
  /// How many pairs differ as numbers: +0 equals −0, and NaN equals NaN.
  public internal(set) var changedCount = 0
  /// How many pairs are finite, not zero, and of different signs.
  public internal(set) var signFlipCount = 0
  /// How many pairs are both finite.
  public internal(set) var finiteCount = 0
  /// How many values of `a` are not a number.
  public internal(set) var nanCountA = 0
  /// How many values of `b` are not a number.
  public internal(set) var nanCountB = 0
  /// How many values of `a` are infinite.
  public internal(set) var infinityCountA = 0
  /// How many values of `b` are infinite.
  public internal(set) var infinityCountB = 0
  /// The greatest |b − a|.
  public internal(set) var maximumDifference = 0.0
  /// The sum of a².
  public internal(set) var squaresA = 0.0
  /// The sum of b².
  public internal(set) var squaresB = 0.0
  /// The sum of (b − a)².
  public internal(set) var squaresOfDifference = 0.0
  /// How many pairs have a distance in units in the last place.
  public internal(set) var ulpCount = 0
  /// The sum of those distances.
  public internal(set) var ulpSum = 0.0
  /// The greatest of those distances; 0 if there are none.
  public internal(set) var greatestULP: UInt64 = 0

  /// Nothing compared yet.
  public init() {}

  /// Includes the pairs that come after these.
  public mutating func append(_ next: DifferenceMeasures) {
    valueCount += next.valueCount
    changedCount += next.changedCount
    signFlipCount += next.signFlipCount
    finiteCount += next.finiteCount
    nanCountA += next.nanCountA
    nanCountB += next.nanCountB
    infinityCountA += next.infinityCountA
    infinityCountB += next.infinityCountB
    maximumDifference = max(maximumDifference, next.maximumDifference)
    squaresA += next.squaresA
    squaresB += next.squaresB
    squaresOfDifference += next.squaresOfDifference
    ulpCount += next.ulpCount
    ulpSum += next.ulpSum
    greatestULP = max(greatestULP, next.greatestULP)
  }
}

extension DifferenceMeasures {
  /// ‖b − a‖ / ‖a‖: 0 where nothing differs, `nil` where `a` is zero or the sums are out of range.
  public var relativeL2: Double? {
    guard squaresOfDifference > 0 else { return finiteCount > 0 ? 0 : nil }
    guard squaresA > 0, squaresA.isFinite, squaresOfDifference.isFinite else { return nil }
    return (squaresOfDifference / squaresA).squareRoot()
  }

  /// The root of the mean of (b − a)², or `nil` if there is no finite pair.
  public var rootMeanSquare: Double? {
    guard finiteCount > 0, squaresOfDifference.isFinite else { return nil }
    return (squaresOfDifference / Double(finiteCount)).squareRoot()
  }

  /// The cosine of the angle between `a` and `b`, or `nil` where one of them is zero.
  ///
  /// By the law of cosines from the three sums of squares, which keeps its digits near 1.
  public var cosine: Double? {
    cosineBetween(squaresA, squaresB, difference: squaresOfDifference)
  }

  /// The mean distance in units in the last place, or `nil` if no pair has one.
  ///
  /// Counted in the narrower type of the two, to which the wider values are rounded first: a model
  /// and its conversion to F16 are 0 apart. F16, BF16, F32 and F64 have such distances.
  public var meanULP: Double? { ulpCount > 0 ? ulpSum / Double(ulpCount) : nil }

  /// The greatest distance in units in the last place, or `nil` if no pair has one.
  public var maximumULP: UInt64? { ulpCount > 0 ? greatestULP : nil }

  /// How many values of either model are NaN or infinite.
  public var nonFiniteCount: Int { nanCountA + nanCountB + infinityCountA + infinityCountB }
}

/// The cosine of the angle between two vectors, from their squares and that of their difference.
func cosineBetween(_ a: Double, _ b: Double, difference: Double) -> Double? {
  guard a > 0, b > 0, a.isFinite, b.isFinite, difference.isFinite else { return nil }
  if difference == 0 { return 1 }
  return max(-1, min(1, (a + b - difference) / (2 * (a.squareRoot() * b.squareRoot()))))
}
