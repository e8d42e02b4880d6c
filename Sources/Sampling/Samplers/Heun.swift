public import Tensors

/// Heun's second-order method: the mean of the slopes at both ends of a step.
///
/// Source: Karras et al. 2022 (2206.00364), algorithm 1 without churn.
public struct Heun: Sampler {
  /// `heun`.
  public static let name = "heun"
  /// Heun.
  public static let title = "Heun"
  /// Any time steps.
  public static let layout = SamplerLayout.continuous
  /// The image keeps its scale.
  public static let scale = LatentScale.exploding
  /// At both ends of a step.
  public static let evaluationsPerStep = 2

  /// A sampler that has made no step yet.
  public init(_ settings: SamplerSettings) {}

  /// One step.
  public mutating func step(
    _ x: inout Latents, from index: Int, in run: SamplingRun
  ) throws(Fault) {
    let here = run.points[index], next = run.points[index + 1]
    let width = next.sigma - here.sigma
    let slope = (x - (try run.image(exploding: x, at: here))) / here.sigma
    let ahead = x + width * slope
    guard !run.isLast(index) else {
      x = ahead
      return
    }
    let slopeThere = (ahead - (try run.image(exploding: ahead, at: next))) / next.sigma
    x = x + (width / 2) * (slope + slopeThere)
  }
}
