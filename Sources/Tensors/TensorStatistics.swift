import CKernels

/// What one pass over the values of a tensor finds.
///
/// The same bytes, added in the same pieces, give the same bits on every machine.
///
///     var statistics = TensorStatistics()
///     statistics.add(bytes, dtype: .f16)
///     statistics.nanCount   // 0
public struct TensorStatistics: Hashable, Sendable {
  /// The number of values.
  public private(set) var count = 0
  /// How many are not a number.
  public private(set) var nanCount = 0
  /// How many are positive infinity.
  public private(set) var positiveInfinityCount = 0
  /// How many are negative infinity.
  public private(set) var negativeInfinityCount = 0
  /// How many are zero, of either sign.
  public private(set) var zeroCount = 0
  /// How many are finite and beyond ±60,000, at the edge of F16's range of ±65,504.
  public private(set) var largeCount = 0
  /// How many were counted but could not be looked at: F4 and F6.
  public private(set) var opaqueCount = 0
  private var low = Double.infinity
  private var high = -Double.infinity
  private var sum = 0.0
  private var sumOfSquares = 0.0

  /// Nothing seen yet.
  public init() {}

  /// Includes whole values of type `dtype`; complex ones as two numbers each.
  public mutating func add(_ bytes: RawSpan, dtype: DType) {
    add(bytes, dtype: dtype, path: .best, withMoments: true)
  }

  /// ``add(_:dtype:)`` on a chosen path; without moments there is no mean and no deviation.
  package mutating func add(
    _ bytes: RawSpan, dtype: DType, path: KernelPath = .best, withMoments: Bool = true
  ) {
    guard let type = dtype == .c64 ? CK_F32 : dtype.kernelType else {
      let values = bytes.byteCount * 8 / dtype.bitCount
      count += values
      opaqueCount += values
      return
    }
    let size = dtype == .c64 ? 4 : dtype.bitCount / 8
    precondition(bytes.byteCount % size == 0, "part of a value is missing")
    let found = unsafe bytes.withUnsafeBytes {
      unsafe ck_examine(
        path.code, type, $0.baseAddress, $0.count / size, withMoments ? 1 : 0)
    }
    var piece = TensorStatistics()
    piece.count = Int(found.count)
    piece.nanCount = Int(found.nans)
    piece.positiveInfinityCount = Int(found.positive_infinities)
    piece.negativeInfinityCount = Int(found.negative_infinities)
    piece.zeroCount = Int(found.zeros)
    piece.largeCount = Int(found.large)
    piece.low = found.minimum
    piece.high = found.maximum
    // What is not a number makes every sum with it one that is not: no mean comes of it.
    piece.sum = withMoments ? found.sum : .nan
    piece.sumOfSquares = withMoments ? found.sum_of_squares : .nan
    append(piece)
  }

  /// Includes the values that come after these.
  public mutating func append(_ next: TensorStatistics) {
    count += next.count
    nanCount += next.nanCount
    positiveInfinityCount += next.positiveInfinityCount
    negativeInfinityCount += next.negativeInfinityCount
    zeroCount += next.zeroCount
    largeCount += next.largeCount
    opaqueCount += next.opaqueCount
    low = min(low, next.low)
    high = max(high, next.high)
    sum += next.sum
    sumOfSquares += next.sumOfSquares
    // Infinities of both signs would make NaN, which equals nothing.
    if !sum.isFinite { sum = .infinity }
  }
}

extension TensorStatistics {
  /// How many are infinite.
  public var infinityCount: Int { positiveInfinityCount + negativeInfinityCount }

  /// How many are neither infinite nor NaN.
  public var finiteCount: Int { count - nanCount - infinityCount - opaqueCount }

  /// The least finite value, or `nil` if there is none.
  public var minimum: Double? { finiteCount > 0 ? low : nil }

  /// The greatest finite value, or `nil` if there is none.
  public var maximum: Double? { finiteCount > 0 ? high : nil }

  /// The greatest magnitude of a finite value, or `nil` if there is none.
  public var maximumMagnitude: Double? { finiteCount > 0 ? max(abs(low), abs(high)) : nil }

  /// The mean of the finite values, or `nil` if there is none or their sum is out of range.
  public var mean: Double? {
    finiteCount > 0 && sum.isFinite ? sum / Double(finiteCount) : nil
  }

  /// The standard deviation of the finite values about their mean, or `nil` if there is none
  /// or the sum of their squares is out of range.
  ///
  /// Of the values as they are, not as a sample of others: divided by their number.
  public var standardDeviation: Double? {
    guard let mean, sumOfSquares.isFinite else { return nil }
    guard low < high else { return 0 }
    return max(0, sumOfSquares / Double(finiteCount) - mean * mean).squareRoot()
  }

  /// Whether there are at least two values and all are the same finite number.
  public var isConstant: Bool { count > 1 && finiteCount == count && low == high }

  /// Whether there are values and all are zero.
  public var isZero: Bool { count > 0 && zeroCount == count }
}
