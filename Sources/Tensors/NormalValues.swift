import CKernels

/// An endless list of nearly normal random numbers, any part of which can be made by itself.
///
/// The same on every machine; repeats after 2³² values.
package struct NormalValues: Hashable, Sendable {
  /// What the numbers follow from; other keys give other numbers.
  package var key: UInt64
  /// Their mean.
  package var mean: Float
  /// Their standard deviation; none is further from the mean than 3.47 times that.
  package var deviation: Float

  /// The list for `key`.
  package init(key: UInt64, mean: Float, deviation: Float) {
    self.key = key
    self.mean = mean
    self.deviation = deviation
  }

  /// Fills `buffer` with the values from number `first`, rounded to `dtype`: F16, BF16, F32 or F64.
  package func fill(
    _ buffer: inout MutableRawSpan, with dtype: DType, from first: Int, path: KernelPath = .best
  ) {
    guard [.f16, .bf16, .f32, .f64].contains(dtype), let type = dtype.kernelType else {
      preconditionFailure("random values are floating-point")
    }
    let size = dtype.bitCount / 8
    precondition(buffer.byteCount % size == 0, "part of a value is missing")
    unsafe buffer.withUnsafeMutableBytes {
      unsafe ck_normal(
        path.code, key, UInt32(truncatingIfNeeded: first), mean, deviation, type, $0.baseAddress,
        $0.count / size)
    }
  }
}
