public import Tensors

/// Sampling of latent consistency models: straight to the image, and back to less noise each time.
///
/// Source: Luo et al. 2023 (2310.04378), algorithm 3; scalings as diffusers has them.
public struct LCM: Sampler {
  /// `lcm`.
  public static let name = "lcm"
  /// LCM.
  public static let title = "LCM"
  /// What it was distilled for.
  public static let layout = SamplerLayout.consistency
  /// Unit variance.
  public static let scale = LatentScale.preserving

  /// A sampler that has made no step yet.
  public init(_ settings: SamplerSettings) {}

  /// One step.
  public mutating func step(
    _ x: inout Latents, from index: Int, in run: SamplingRun
  ) throws(Fault) {
    let here = run.points[index], next = run.points[index + 1]
    let image = try run.image(preserving: x, at: here)
    let deviation = 0.5, time = here.timestep * 10
    let length = time * time + deviation * deviation
    x = (time / length.squareRoot()) * image + (deviation * deviation / length) * x
    if !run.isLast(index) { x = next.signal * x + next.noise * run.noise() }
  }
}
