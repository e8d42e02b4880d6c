import Glibc
public import Tensors

/// DPM-Solver++ of second order on the stochastic equation, with a model call in the middle of each
/// step.
///
/// The noise of half a step and that of the whole step belong to one Brownian path. The web UIs and
/// diffusers draw that path from torchsde's tree, whose numbers are others: the same seed gives a
/// picture of the same kind there, not the same picture.
///
/// Source: k-diffusion, `sample_dpmpp_sde`; `DPMSolverSDEScheduler` of diffusers.
public struct DPMSolverSDE: Sampler {
  /// `dpmpp-sde`.
  public static let name = "dpmpp-sde"
  /// DPM++ SDE.
  public static let title = "DPM++ SDE"
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
    let middle = run.point(sigma: (here.sigma * next.sigma).squareRoot())
    let first = run.noise(), second = run.noise()
    let between = advanced(x, towards: image, from: here.sigma, to: middle.sigma, noise: first)
    let imageThere = try run.image(exploding: between, at: middle)
    // Both halves of the path, each as long as its interval, over the length of both.
    let lengths = (here.sigma - middle.sigma, middle.sigma - next.sigma)
    let whole =
      (lengths.0.squareRoot() * first + lengths.1.squareRoot() * second)
      / (lengths.0 + lengths.1).squareRoot()
    x = advanced(x, towards: imageThere, from: here.sigma, to: next.sigma, noise: whole)
  }

  /// The exact step for a constant image, and fresh noise.
  private func advanced(
    _ x: Latents, towards image: Latents, from sigma: Double, to next: Double, noise: Latents
  ) -> Latents {
    let ancestral = AncestralStep(from: sigma, to: next, eta: eta)
    let share = ancestral.down / sigma
    return share * x + (1 - share) * image + ancestral.up * noise
  }
}
