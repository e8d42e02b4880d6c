public import Tensors

/// Euler's method to a point with less noise than the next, then as much fresh noise as is missing.
///
/// Source: k-diffusion, `sample_euler_ancestral`.
public struct EulerAncestral: Sampler {
  /// `euler-a`.
  public static let name = "euler-a"
  /// Euler a.
  public static let title = "Euler a"
  /// Any time steps.
  public static let layout = SamplerLayout.continuous
  /// The image keeps its scale.
  public static let scale = LatentScale.exploding

  private let eta: Double

  /// A sampler that has made no step yet.
  public init(_ settings: SamplerSettings) { eta = settings.eta ?? 1 }

  /// One step.
  public mutating func step(
    _ x: inout Latents, from index: Int, in run: SamplingRun
  ) throws(Fault) {
    let here = run.points[index]
    let ancestral = AncestralStep(from: here.sigma, to: run.points[index + 1].sigma, eta: eta)
    let slope = (x - (try run.image(exploding: x, at: here))) / here.sigma
    x = x + (ancestral.down - here.sigma) * slope + ancestral.up * run.noise()
  }
}

/// A step split into one towards the image and fresh noise.
struct AncestralStep {
  /// Where the deterministic part goes.
  let down: Double
  /// The deviation of the fresh noise.
  let up: Double

  /// From `sigma` to `next`, with a share `eta` of fresh noise.
  init(from sigma: Double, to next: Double, eta: Double) {
    let full = max(0, next * next * (sigma * sigma - next * next)).squareRoot() / sigma
    up = min(next, eta * full)
    down = max(0, next * next - up * up).squareRoot()
  }
}
