import Glibc
public import Tensors

/// DPM-Solver++ of second order with one model call a step, from the images of the last two steps.
///
/// Source: Lu et al. 2022 (2211.01095), algorithm 2, in the midpoint form of diffusers.
public struct DPMSolver2M: Sampler {
  /// `dpmpp-2m`.
  public static let name = "dpmpp-2m"
  /// DPM++ 2M.
  public static let title = "DPM++ 2M"
  /// Whole training steps, one left away.
  public static let layout = SamplerLayout.multistep
  /// Unit variance.
  public static let scale = LatentScale.preserving

  private var history = ImageHistory()

  /// A sampler that has made no step yet.
  public init(_ settings: SamplerSettings) {}

  /// One step.
  public mutating func step(
    _ x: inout Latents, from index: Int, in run: SamplingRun
  ) throws(Fault) {
    let here = run.points[index], next = run.points[index + 1]
    let image = try run.image(preserving: x, at: here)
    let width = next.halfLogSNR - here.halfLogSNR
    let factor = -next.signal * expm1(-width)
    let target = history.extrapolated(image, from: index, in: run)
    x = (next.noise / here.noise) * x + factor * target
  }
}

extension Trajectory.Point {
  /// λ = log(√ᾱ / √(1 − ᾱ)); infinite without noise.
  var halfLogSNR: Double { -log(sigma) }
}
