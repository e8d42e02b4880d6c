import CForward
import Tensors

extension FloatArray {
  /// Nearly normal random numbers that follow from `seed`, the same on every machine.
  ///
  /// For benchmarks and tests; not the noise of any other program.
  public static func random(_ shape: [Int], seed: UInt64) -> FloatArray {
    var array = FloatArray(shape)
    let numbers = NormalValues(key: seed, mean: 0, deviation: 1)
    unsafe array.values.withUnsafeMutableBytes { bytes in
      var span = unsafe MutableRawSpan(_unsafeBytes: bytes)
      numbers.fill(&span, with: .f32, from: 0)
    }
    return array
  }
}

extension Runtime {
  /// The floating-point operations in a second that this processor reaches with numbers in the
  /// first cache, measured now, which takes some milliseconds.
  public func measuredCeiling() -> Double {
    let path = cf_best_path()
    let isNarrow: Int32 = precision == .bf16 ? 1 : 0
    var best = 0.0
    for _ in 0..<5 {
      let start = monotonicSeconds()
      let operations = cf_ceiling(path, isNarrow)
      best = max(best, operations / (monotonicSeconds() - start))
    }
    return best * Double(min(threads, availableProcessors))
  }
}
