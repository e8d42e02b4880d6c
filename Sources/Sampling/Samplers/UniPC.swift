import Glibc
public import Tensors

/// UniPC of second order: a predictor of the next latents, and a corrector that uses the model's
/// answer there for free.
///
/// Source: Zhao et al. 2023 (2302.04867), data prediction with B(h) = e^h − 1 (`bh2`), as diffusers
/// has it.
public struct UniPC: Sampler {
  /// `unipc`.
  public static let name = "unipc"
  /// UniPC.
  public static let title = "UniPC"
  /// Whole training steps, one left away.
  public static let layout = SamplerLayout.multistep
  /// Unit variance.
  public static let scale = LatentScale.preserving

  /// The images of the last two steps, the newest first.
  private var images: [Latents] = []
  /// The latents before the last step, and its order.
  private var last: (x: Latents, order: Int)?

  /// A sampler that has made no step yet.
  public init(_ settings: SamplerSettings) {}

  /// One step.
  public mutating func step(
    _ x: inout Latents, from index: Int, in run: SamplingRun
  ) throws(Fault) {
    let image = try run.image(preserving: x, at: run.points[index])
    if let last {
      x = corrected(last.x, order: last.order, with: image, to: index, in: run.points)
    }
    images = [image] + images.prefix(1)
    let order = min(2, run.trajectory.stepCount - index, images.count)
    last = (x, order)
    x = predicted(x, order: order, to: index + 1, in: run.points)
  }

  /// The latents at point `index`, from what is known before it.
  private func predicted(
    _ x: Latents, order: Int, to index: Int, in points: [Trajectory.Point]
  ) -> Latents {
    let step = Step(to: index, in: points)
    var next = step.ofLatents * x - (step.signal * step.phi1) * images[0]
    if order == 2 {
      // ρ = 1/2 for the only difference there is.
      let difference = (images[1] - images[0]) / step.ratio(to: index - 2, in: points)
      next = next - (step.signal * step.phi1 * 0.5) * difference
    }
    return next
  }

  /// The latents at point `index` again, now that the image there is known.
  private func corrected(
    _ x: Latents, order: Int, with image: Latents, to index: Int, in points: [Trajectory.Point]
  ) -> Latents {
    let step = Step(to: index, in: points)
    var correction = image - images[0]
    if order == 1 {
      correction = 0.5 * correction
    } else {
      // Two equations: ρ₀ + ρ₁ = b₁ and ρ₀ r + ρ₁ = b₂.
      let ratio = step.ratio(to: index - 2, in: points)
      let phi2 = step.phi1 / -step.width - 1
      let b1 = phi2 / step.phi1
      let b2 = (phi2 / -step.width - 0.5) * 2 / step.phi1
      let first = (b1 - b2) / (1 - ratio)
      correction = first / ratio * (images[1] - images[0]) + (b1 - first) * correction
    }
    return step.ofLatents * x - (step.signal * step.phi1) * images[0]
      - (step.signal * step.phi1) * correction
  }

  /// The numbers of one step.
  private struct Step {
    let start: Double, width: Double, signal: Double, ofLatents: Double
    /// e^−h − 1, which is also B(h).
    var phi1: Double { expm1(-width) }

    init(to index: Int, in points: [Trajectory.Point]) {
      let here = points[index - 1], next = points[index]
      start = here.halfLogSNR
      width = next.halfLogSNR - start
      signal = next.signal
      ofLatents = next.noise / here.noise
    }

    /// Where an earlier point lies, in widths of this step.
    func ratio(to index: Int, in points: [Trajectory.Point]) -> Double {
      (points[index].halfLogSNR - start) / width
    }
  }
}
