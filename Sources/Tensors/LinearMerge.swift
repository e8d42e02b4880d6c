import CKernels

/// Merges stored values along a straight line, rounding once, at about the speed of a copy.
///
/// The values go from their stored type through the formula to the stored type of the result in one
/// loop. Each result is rounded as if it had been computed in single precision where nothing has
/// more than 16 bits, or where ``usesSingles``, else in double precision.
package struct LinearMerge: Hashable, Sendable {
  /// What is computed.
  package enum Formula: Hashable, Sendable {
    /// `(1 − t)a + tb`, as `fma(t, b − a, a)` for |t| < ½ and `fma(t − 1, b − a, b)` otherwise.
    case weightedSum
    /// `a + t(b − c)`, as `fma(t, b − c, a)`.
    case addDifference

    /// The number of operands.
    package var operandCount: Int { self == .weightedSum ? 2 : 3 }
  }

  /// What is computed.
  package let formula: Formula
  /// How the operands are stored.
  package let sources: [DType]
  /// How the result is stored.
  package let target: DType
  /// The t of the formula.
  package let weight: Double
  /// Whether wide values are computed in single precision too.
  package let usesSingles: Bool

  /// A merge, or `nil` if it is not known for these types.
  ///
  /// Operands are F16, BF16, F32 or 8-bit floating-point numbers, the result is F16, BF16 or F32.
  package init?(
    _ formula: Formula, from sources: [DType], to target: DType, weight: Double,
    usesSingles: Bool = false
  ) {
    guard sources.count == formula.operandCount, [.f16, .bf16, .f32].contains(target),
      sources.allSatisfy({ $0.isFloatingPoint && $0.bitCount <= 32 && $0.kernelType != nil })
    else { return nil }
    self.formula = formula
    self.sources = sources
    self.target = target
    self.weight = weight
    self.usesSingles = usesSingles
  }

  /// Fills `destination` with merged values.
  ///
  /// - Parameters:
  ///   - a: whole values of the first operand.
  ///   - b: as many of the second.
  ///   - c: as many of the third; not looked at in a weighted sum.
  ///   - destination: room for exactly as many results.
  ///   - path: the instruction set to use; only tests choose one.
  /// - Returns: how many results are infinite or NaN.
  package func merge(
    _ a: RawSpan, _ b: RawSpan, _ c: RawSpan, into destination: inout MutableRawSpan,
    path: KernelPath = .best
  ) -> Int {
    let types = sources.map { $0.kernelType ?? CK_F32 }
    let count = destination.byteCount / (target.bitCount / 8)
    precondition(
      destination.byteCount == count * (target.bitCount / 8)
        && a.byteCount == count * (sources[0].bitCount / 8)
        && b.byteCount == count * (sources[1].bitCount / 8)
        && (sources.count < 3 || c.byteCount == count * (sources[2].bitCount / 8)),
      "the operands hold another number of values")
    return unsafe a.withUnsafeBytes { a in
      unsafe b.withUnsafeBytes { b in
        unsafe c.withUnsafeBytes { c in
          unsafe destination.withUnsafeMutableBytes { output in
            let operands = unsafe [a.baseAddress, b.baseAddress, c.baseAddress]
            return unsafe Int(
              ck_merge(
                path.code, formula == .weightedSum ? CK_LERP : CK_ADD_DIFFERENCE, types,
                target.kernelType ?? CK_F32, operands, output.baseAddress, count, weight,
                usesSingles ? 1 : 0))
          }
        }
      }
    }
  }
}

extension DType {
  /// Whether values of this type may be infinite or NaN and can be looked at.
  package var canBeNonFinite: Bool { isFloatingPoint && kernelType != nil }

  /// Whether any of the values in `bytes`, stored as this type, is infinite or NaN.
  package func hasNonFinite(_ bytes: RawSpan) -> Bool {
    switch self {
    case .f16: return Self.anyHas(all: 0x7C00 as UInt16, in: bytes)
    case .bf16: return Self.anyHas(all: 0x7F80 as UInt16, in: bytes)
    case .f32: return Self.anyHas(all: 0x7F80_0000 as UInt32, in: bytes)
    case .f64: return Self.anyHas(all: 0x7FF0_0000_0000_0000 as UInt64, in: bytes)
    default:
      guard canBeNonFinite else { return false }
      var statistics = TensorStatistics()
      statistics.add(bytes, dtype: self)
      return statistics.nanCount + statistics.infinityCount > 0
    }
  }

  /// Whether all bits of `mask` are set in any of the words of `bytes`.
  private static func anyHas<Word: FixedWidthInteger>(all mask: Word, in bytes: RawSpan) -> Bool {
    let size = MemoryLayout<Word>.size
    return unsafe bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return false }
      var found: Word = 0
      // Without an early end the compiler handles many words at once.
      for index in 0..<buffer.count / size {
        let word = unsafe base.loadUnaligned(fromByteOffset: index * size, as: Word.self)
        found |= word & mask == mask ? 1 : 0
      }
      return found != 0
    }
  }
}
