public import Tensors

/// Denoising diffusion implicit models: deterministic at η = 0, like DDPM at η = 1.
///
/// Source: Song et al. 2020 (2010.02502), equations 12 and 16.
public struct DDIM: Sampler {
  /// `ddim`.
  public static let name = "ddim"
  /// DDIM.
  public static let title = "DDIM"
  /// Whole training steps.
  public static let layout = SamplerLayout.discrete
  /// Unit variance.
  public static let scale = LatentScale.preserving
  /// As Stable Diffusion has it (`set_alpha_to_one` is false).
  public static let endsAtFirstStep = true

  private let eta: Double

  /// A sampler that has made no step yet.
  public init(_ settings: SamplerSettings) { eta = settings.eta ?? 0 }

  /// One step.
  public mutating func step(
    _ x: inout Latents, from index: Int, in run: SamplingRun
  ) throws(Fault) {
    let here = run.points[index], next = run.points[index + 1]
    let output = try run.output(x, at: here)
    let image = run.prediction.image(output, in: x, at: here)
    let direction = run.prediction.noise(output, in: x, at: here)
    let nextNoise = next.noise * next.noise
    let ratio = here.signal / next.signal
    let variance = max(0, nextNoise / (here.noise * here.noise) * (1 - ratio * ratio))
    let deviation = eta * variance.squareRoot()
    let left = max(0, nextNoise - deviation * deviation).squareRoot()
    x = next.signal * image + left * direction
    if eta > 0 { x = x + deviation * run.noise() }
  }
}
