import CKernels

/// Changes how values are stored.
///
/// Rounds to nearest, ties to even, once: from F64 to F16 directly, not by way of F32. A NaN stays a
/// NaN of the same sign. Integers become the nearest F32 first, as in PyTorch.
///
///     let conversion = Conversion(from: .f32, to: .f16)
///     let overflows = conversion?.convert(singles, into: &halves)
public struct Conversion: Hashable, Sendable {
  /// The type of the values that are there.
  public let source: DType
  /// The type that is wanted.
  public let target: DType

  /// A conversion, or `nil` when there is none between the types.
  ///
  /// Every type but F4, F6 and C64 converts to F16, BF16, F32 and F64; every type to itself.
  public init?(from source: DType, to target: DType) {
    guard source != target else {
      self.source = source
      self.target = target
      return
    }
    switch target {
    case .f16, .bf16, .f32, .f64:
      guard source.kernelType != nil else { return nil }
      self.source = source
      self.target = target
    default: return nil
    }
  }

  /// Whether the bytes stay as they are.
  public var isIdentity: Bool { source == target }

  /// Fills `destination` with the values of `bytes`.
  ///
  /// `bytes` holds whole values, and `destination` has room for exactly as many.
  ///
  /// - Returns: how many finite values became infinite.
  @discardableResult
  public func convert(_ bytes: RawSpan, into destination: inout MutableRawSpan) -> Int {
    convert(bytes, into: &destination, path: .best)
  }

  /// ``convert(_:into:)`` on a chosen path.
  package func convert(
    _ bytes: RawSpan, into destination: inout MutableRawSpan, path: KernelPath
  ) -> Int {
    // Types that the loops do not know are copied as bytes.
    let from = source.kernelType ?? CK_U8
    let to = target.kernelType ?? CK_U8
    let count = bytes.byteCount / (source.kernelType == nil ? 1 : source.bitCount / 8)
    precondition(
      isIdentity
        ? destination.byteCount == bytes.byteCount
        : bytes.byteCount % (source.bitCount / 8) == 0
          && destination.byteCount == count * (target.bitCount / 8),
      "the destination has room for another number of values")
    return unsafe bytes.withUnsafeBytes { input in
      unsafe destination.withUnsafeMutableBytes { output in
        unsafe Int(
          ck_convert(path.code, from, to, input.baseAddress, output.baseAddress, count))
      }
    }
  }
}
