public import Tensors

/// How exactly a network computes.
public enum Precision: String, CaseIterable, Sendable {
  /// Single precision, direct algorithms, one order of summation: the same bits for any number of
  /// threads, on any processor.
  case reference
  /// Single precision, with faster algorithms that round differently.
  case f32
  /// Activations and weights in bfloat16, sums in single precision; needs AVX-512 with BF16.
  case bf16
}

/// What networks run on: a number of threads and a precision.
public final class Runtime: Sendable {
  /// How exactly is computed.
  public let precision: Precision
  /// The number of threads.
  public let threads: Int

  /// A runtime.
  ///
  /// - Throws: ``Rule/unsupportedPrecision`` when the processor cannot compute so.
  public init(precision: Precision = .f32, threads: Int = availableProcessors) throws(Fault) {
    self.precision = precision
    self.threads = threads
  }
}
