import CKernels

/// Reproducible random values: the same number, name and position give the same value on every
/// machine, in whatever order they are asked for.
///
/// The distribution is nearly normal: the sum of four uniform numbers.
public struct Noise: Sendable {
  /// The middle of the distribution.
  public let mean: Double
  /// How far values lie from it.
  public let standardDeviation: Double

  private let key: UInt64

  /// The noise of `name` under `seed`.
  public init(seed: UInt64, name: TensorName, mean: Double, standardDeviation: Double) {
    self.mean = mean
    self.standardDeviation = standardDeviation
    // FNV-1a over the name, then the finaliser of SplitMix64 over both.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    var mixed = hash &+ seed &* 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    key = mixed ^ mixed >> 31
  }

  /// Fills `buffer` with whole values of type F16, BF16, F32 or F64, from value `first`.
  public func fill(_ buffer: inout MutableRawSpan, from first: Int, as dtype: DType) {
    fill(&buffer, from: first, as: dtype, path: .best)
  }

  /// ``fill(_:from:as:)`` on a chosen path.
  package func fill(
    _ buffer: inout MutableRawSpan, from first: Int, as dtype: DType, path: KernelPath
  ) {
    guard let type = dtype.kernelType, dtype.isFloatingPoint, let size = dtype.byteCount else {
      return
    }
    let count = buffer.byteCount / size
    precondition(buffer.byteCount % size == 0)
    // 37837.2… is the standard deviation of the sum of four numbers from 0 to 65535.
    let scale = Float(standardDeviation / 37_837.227)
    unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe ck_noise(
        path.code, key, UInt32(truncatingIfNeeded: first), scale, Float(mean), type,
        bytes.baseAddress, count)
    }
  }
}
