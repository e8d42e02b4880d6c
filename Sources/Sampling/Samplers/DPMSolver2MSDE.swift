import Glibc
public import Tensors

/// DPM-Solver++ of second order on the stochastic equation: as ``DPMSolver2M``, with fresh noise.
///
/// Source: Lu et al. 2022 (2211.01095), appendix, in the midpoint form of diffusers
/// (`sde-dpmsolver++`).
public struct DPMSolver2MSDE: Sampler {
  /// `dpmpp-2m-sde`.
  public static let name = "dpmpp-2m-sde"
  /// DPM++ 2M SDE.
  public static let title = "DPM++ 2M SDE"
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
    let renewed = -expm1(-2 * width)
    let target = history.extrapolated(image, from: index, in: run)
    x =
      (next.noise / here.noise * exp(-width)) * x + (next.signal * renewed) * target
      + (next.noise * renewed.squareRoot()) * run.noise()
  }
}
