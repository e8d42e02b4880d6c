/// What is being denoised: the numbers of one or more images, one after another.
///
/// F64, so that a sampler's own sums add nothing to the error of the network.
public struct Latents: Hashable, Sendable {
  /// The numbers.
  public var values: [Double]

  /// These numbers.
  public init(_ values: [Double]) { self.values = values }

  /// The numbers of a network's output.
  public init(_ values: [Float]) { self.values = values.map { Double($0) } }

  /// The numbers, rounded to F32.
  public var floats: [Float] { values.map { Float($0) } }

  /// Adds number by number.
  public static func + (a: Latents, b: Latents) -> Latents {
    precondition(a.values.count == b.values.count, "latents of different sizes")
    var sum = a
    for index in sum.values.indices { sum.values[index] += b.values[index] }
    return sum
  }

  /// Subtracts number by number.
  public static func - (a: Latents, b: Latents) -> Latents {
    precondition(a.values.count == b.values.count, "latents of different sizes")
    var difference = a
    for index in difference.values.indices { difference.values[index] -= b.values[index] }
    return difference
  }

  /// Multiplies every number by `factor`.
  public static func * (factor: Double, a: Latents) -> Latents {
    Latents(a.values.map { factor * $0 })
  }

  /// Divides every number by `divisor`.
  public static func / (a: Latents, divisor: Double) -> Latents {
    Latents(a.values.map { $0 / divisor })
  }
}
