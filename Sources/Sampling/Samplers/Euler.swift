public import Tensors

/// Euler's method on the probability-flow equation dx/dσ = (x − x₀)/σ.
///
/// Source: Karras et al. 2022 (2206.00364), algorithm 1 without churn.
public struct Euler: Sampler {
  /// `euler`.
  public static let name = "euler"
  /// Euler.
  public static let title = "Euler"
  /// Any time steps.
  public static let layout = SamplerLayout.continuous
  /// The image keeps its scale.
  public static let scale = LatentScale.exploding

  /// A sampler that has made no step yet.
  public init(_ settings: SamplerSettings) {}

  /// One step.
  public mutating func step(
    _ x: inout Latents, from index: Int, in run: SamplingRun
  ) throws(Fault) {
    let here = run.points[index]
    let slope = (x - (try run.image(exploding: x, at: here))) / here.sigma
    x = x + (run.points[index + 1].sigma - here.sigma) * slope
  }
}
