import Glibc
public import Tensors

/// DPM-Solver++ of second order with a model call in the middle of each step, to a point with less
/// noise than the next, then as much fresh noise as is missing.
///
/// Source: k-diffusion, `sample_dpmpp_2s_ancestral`.
public struct DPMSolver2SAncestral: Sampler {
  /// `dpmpp-2s-a`.
  public static let name = "dpmpp-2s-a"
  /// DPM++ 2S a.
  public static let title = "DPM++ 2S a"
  /// Any time steps.
  public static let layout = SamplerLayout.continuous
  /// The image keeps its scale.
  public static let scale = LatentScale.exploding
  /// At the beginning and in the middle.
  public static let evaluationsPerStep = 2

  private let eta: Double

  /// A sampler that has made no step yet.
  public init(_ settings: SamplerSettings) { eta = settings.eta ?? 1 }

  /// One step.
  public mutating func step(
    _ x: inout Latents, from index: Int, in run: SamplingRun
  ) throws(Fault) {
    let here = run.points[index], next = run.points[index + 1]
    let image = try run.image(exploding: x, at: here)
    guard next.sigma > 0 else {
      x = image
      return
    }
    let ancestral = AncestralStep(from: here.sigma, to: next.sigma, eta: eta)
    let middle = run.point(sigma: (here.sigma * ancestral.down).squareRoot())
    let half = middle.sigma / here.sigma
    let imageThere = try run.image(exploding: half * x + (1 - half) * image, at: middle)
    let whole = ancestral.down / here.sigma
    x = whole * x + (1 - whole) * imageThere + ancestral.up * run.noise()
  }
}
