import Tensors

/// The model's image of the step before, with which the multistep samplers look half a step ahead.
struct ImageHistory {
  private var previous: Latents?

  /// `image`, carried on along the line from the last step's image in half log-SNR, in the midpoint
  /// form of diffusers; `image` itself in the first step and in the last.
  ///
  /// Source: Lu et al. 2022 (2211.01095), algorithm 2.
  mutating func extrapolated(_ image: Latents, from index: Int, in run: SamplingRun) -> Latents {
    defer { previous = image }
    guard let previous, !run.isLast(index) else { return image }
    let before = run.points[index - 1].halfLogSNR, here = run.points[index].halfLogSNR
    let ratio = (here - before) / (run.points[index + 1].halfLogSNR - here)
    return image + (0.5 / ratio) * (image - previous)
  }
}
