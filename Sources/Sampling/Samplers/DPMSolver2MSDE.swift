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

  private var previous: Latents?

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
    var target = image
    if let previous, !run.isLast(index) {
      let ratio = (here.halfLogSNR - run.points[index - 1].halfLogSNR) / width
      target = image + (0.5 / ratio) * (image - previous)
    }
    previous = image
    x =
      (next.noise / here.noise * exp(-width)) * x + (next.signal * renewed) * target
      + (next.noise * renewed.squareRoot()) * run.noise()
  }
}
