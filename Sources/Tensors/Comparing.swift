import CKernels
import Glibc

/// What comparing two lists of stored values finds, pair by pair.
///
/// Sums, distances and sign changes are of pairs of which both are finite. Zeros of both signs are
/// equal, and so are two NaN. The same bytes give the same bits on every machine.
package struct ValueComparison: Sendable {
  package let count, changedCount, signFlipCount, finiteCount: Int
  package let nanCounts, infinityCounts: (a: Int, b: Int)
  /// The greatest |b − a|.
  package let maximumDifference: Double
  /// The sums of a², b² and (b − a)².
  package let squares: (a: Double, b: Double, difference: Double)
  /// Distances in units in the last place of the narrower type, after rounding to it.
  package let ulps: (count: Int, sum: Double, maximum: UInt64)

  /// Compares whole values, complex ones as two numbers each; `nil` if the values of either type
  /// cannot be looked at.
  ///
  /// - Parameters:
  ///   - a: the first values.
  ///   - typeA: how they are stored.
  ///   - b: as many second values.
  ///   - typeB: how they are stored.
  ///   - path: the instruction set to use; only tests choose one.
  package init?(
    _ a: RawSpan, _ typeA: DType, _ b: RawSpan, _ typeB: DType, path: KernelPath = .best
  ) {
    guard typeA.isComparable(with: typeB), let codeA = typeA.partType, let codeB = typeB.partType
    else { return nil }
    let count = a.byteCount / typeA.partSize
    precondition(
      a.byteCount == count * typeA.partSize && b.byteCount == count * typeB.partSize,
      "the two lists hold different numbers of values")
    let found = unsafe a.withUnsafeBytes { a in
      unsafe b.withUnsafeBytes { b in
        unsafe ck_compare(path.code, codeA, codeB, a.baseAddress, b.baseAddress, count)
      }
    }
    self.count = Int(found.count)
    changedCount = Int(found.changed)
    signFlipCount = Int(found.sign_flips)
    finiteCount = Int(found.finite)
    nanCounts = (Int(found.nans_a), Int(found.nans_b))
    infinityCounts = (Int(found.infinities_a), Int(found.infinities_b))
    maximumDifference = found.maximum
    squares = (found.squares_a, found.squares_b, found.squares_of_difference)
    ulps = (Int(found.ulp_count), found.ulp_sum, found.ulp_maximum)
  }
}

extension DType {
  /// What the loops take a value, or each half of a complex one, for.
  fileprivate var partType: ck_type? { self == .c64 ? CK_F32 : kernelType }

  /// The bytes of ``partType``.
  fileprivate var partSize: Int { self == .c64 ? 4 : bitCount / 8 }

  /// Whether values of both types can be compared as numbers.
  package func isComparable(with other: DType) -> Bool {
    partType != nil && other.partType != nil && (self == .c64) == (other == .c64)
  }

  /// The numbers in `bytes` of this type that are compared: two for a complex value.
  package func partCount(of byteCount: Int) -> Int { byteCount / partSize }

  /// The sum of the squares of the values in `bytes`, with the bits that ``ValueComparison`` has.
  ///
  /// `nil` if one of them is not finite.
  package func sumOfSquares(_ bytes: RawSpan, path: KernelPath = .best) -> Double? {
    let sum = squares(bytes, spacing: false, path)
    return sum.isNaN ? nil : sum
  }

  /// The sum of the squared distances of the finite values in `bytes` to their neighbours.
  ///
  /// One twelfth of it is what rounding to this type is expected to have added.
  package func sumOfSquaredSpacings(_ bytes: RawSpan, path: KernelPath = .best) -> Double {
    let digits: Double
    switch self {
    case .f16: digits = 0x1p-10
    case .bf16: digits = 0x1p-7
    case .f32: digits = 0x1p-23
    case .f64: digits = 0x1p-52
    case .f8E4M3, .f8E4M3FNUZ: digits = 0x1p-3
    case .f8E5M2, .f8E5M2FNUZ: digits = 0x1p-2
    default: return 0
    }
    return squares(bytes, spacing: true, path) * digits * digits
  }

  private func squares(_ bytes: RawSpan, spacing: Bool, _ path: KernelPath) -> Double {
    guard let type = partType else { return 0 }
    return unsafe bytes.withUnsafeBytes {
      unsafe ck_squares(path.code, type, $0.baseAddress, $0.count / partSize, spacing ? 1 : 0)
    }
  }

  /// Counts the values in `bytes` by the upper 12 bits of the F16 that each rounds to.
  ///
  /// `counts` are four tables of 4096, of which any may count a value.
  ///
  /// - Returns: whether values of this type can be looked at.
  package func countBits(
    _ bytes: RawSpan, into counts: inout [UInt32], path: KernelPath = .best
  ) -> Bool {
    precondition(counts.count == 4 * 4096, "the table has another size")
    guard let type = partType else { return false }
    unsafe bytes.withUnsafeBytes { bytes in
      unsafe counts.withUnsafeMutableBufferPointer { counts in
        unsafe ck_histogram(
          path.code, type, bytes.baseAddress, bytes.count / partSize, counts.baseAddress)
      }
    }
    return true
  }
}

/// Whether both hold the same bytes.
package func haveSameBytes(_ a: RawSpan, _ b: RawSpan) -> Bool {
  unsafe a.withUnsafeBytes { a in
    unsafe b.withUnsafeBytes { b in
      guard a.count == b.count else { return false }
      guard let first = a.baseAddress, let second = b.baseAddress else { return true }
      return unsafe memcmp(first, second, a.count) == 0
    }
  }
}
