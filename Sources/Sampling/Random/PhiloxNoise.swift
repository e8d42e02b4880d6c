import Glibc
import Tensors

/// Normal numbers as PyTorch makes them on an Nvidia card: what the web UIs call "GPU" or "NV".
///
/// Each number is the first of a block of Philox4x32-10: the seed is the key, the counter holds
/// the number of the call and the place of the value.
///
/// Source: `rng_philox.py` of AUTOMATIC1111's web UI, after PyTorch's CUDA kernels, with the same
/// constants in F32.
public struct PhiloxNoise: Sendable {
  private let key: SIMD2<UInt32>
  private var calls: UInt32 = 0

  /// The sequence of a seed.
  public init(seed: UInt64) {
    key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
  }

  /// The next `count` numbers, as one call of `randn` makes them.
  public mutating func normals(_ count: Int) -> [Float] {
    defer { calls &+= 1 }
    let toUnit = Double(2.3283064e-10 as Float)
    let toAngle = Double((2.3283064e-10 * 6.2831855) as Float)
    return (0..<max(0, count)).map { place in
      let block = philox(SIMD4(calls, 0, UInt32(truncatingIfNeeded: place), 0), key: key)
      let u = Double(block.x) * toUnit + toUnit / 2
      let angle = Double(block.y) * toAngle + toAngle / 2
      return Float((-2 * log(u)).squareRoot() * sin(angle))
    }
  }
}
