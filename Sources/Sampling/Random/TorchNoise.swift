import Glibc

/// Normal numbers as `torch.randn` makes them on a CPU: what diffusers and the web UIs in mode
/// "CPU" begin with.
///
///     var noise = TorchNoise(seed: 42)
///     let latents = noise.normals(4 * 64 * 64)   // torch.randn(…, generator=g)
///
/// Numbers for 16 values and more agree with PyTorch to a few units in the last place, because
/// its vector code has logarithms and cosines of its own.
///
/// Source: `DistributionTemplates.h` and `DistributionsHelper.h` of PyTorch.
public struct TorchNoise: Sendable {
  private var generator: MersenneTwister
  /// The second number of a pair, which a call for fewer than 16 values keeps for the next.
  private var spare: Double?

  /// The sequence of a seed.
  public init(seed: UInt64) { generator = MersenneTwister(seed: seed) }

  /// The next `count` numbers, as one call of `randn` makes them.
  public mutating func normals(_ count: Int) -> [Float] {
    guard count >= 16 else { return (0..<max(0, count)).map { _ in Float(single()) } }
    var values = (0..<count).map { _ in uniform() }
    for start in stride(from: 0, through: count - 16, by: 16) { transform(&values, from: start) }
    if count % 16 != 0 {
      // The last sixteen are made anew, also those that were ready.
      for index in count - 16..<count { values[index] = uniform() }
      transform(&values, from: count - 16)
    }
    return values
  }

  /// A number in 0..<1 of 24 bits.
  private mutating func uniform() -> Float { Float(generator.next() & 0xFF_FFFF) * 0x1p-24 }

  /// A number in 0..<1 of 53 bits.
  private mutating func wideUniform() -> Double {
    let high = UInt64(generator.next()), low = UInt64(generator.next())
    return Double((high << 32 | low) & (1 << 53 - 1)) * 0x1p-53
  }

  /// Makes 16 uniform numbers normal, by Box and Muller: eight lengths, then eight angles.
  private func transform(_ values: inout [Float], from start: Int) {
    for index in start..<start + 8 {
      let length = (-2 * log(Double(1 - values[index]))).squareRoot()
      let angle = 2 * Double.pi * Double(values[index + 8])
      values[index] = Float(length * cos(angle))
      values[index + 8] = Float(length * sin(angle))
    }
  }

  /// One number of a pair.
  private mutating func single() -> Double {
    if let value = spare {
      spare = nil
      return value
    }
    let angle = 2 * Double.pi * wideUniform()
    let length = (-2 * log1p(-wideUniform())).squareRoot()
    spare = length * sin(angle)
    return length * cos(angle)
  }
}
