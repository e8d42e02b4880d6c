public import Tensors

/// Ancestral sampling, as the model was trained: the posterior's mean and fresh noise.
///
/// Source: Ho et al. 2020, equation 7, over any subset of the training steps.
public struct DDPM: Sampler {
  /// `ddpm`.
  public static let name = "ddpm"
  /// DDPM.
  public static let title = "DDPM"
  /// Whole training steps.
  public static let layout = SamplerLayout.discrete
  /// Unit variance.
  public static let scale = LatentScale.preserving

  private let usesLargeVariance: Bool

  /// A sampler that has made no step yet.
  public init(_ settings: SamplerSettings) { usesLargeVariance = settings.usesLargeVariance }

  /// One step.
  public mutating func step(
    _ x: inout Latents, from index: Int, in run: SamplingRun
  ) throws(Fault) {
    let here = run.points[index], next = run.points[index + 1]
    let image = try run.image(preserving: x, at: here)
    let noise = here.noise * here.noise, nextNoise = next.noise * next.noise
    let ratio = here.signal / next.signal
    let beta = 1 - ratio * ratio
    let ofImage = next.signal * beta / noise
    let ofLatents = ratio * nextNoise / noise
    x = ofImage * image + ofLatents * x
    guard here.timestep > 0 else { return }
    let variance = usesLargeVariance ? beta : max(nextNoise / noise * beta, 1e-20)
    x = x + variance.squareRoot() * run.noise()
  }
}
