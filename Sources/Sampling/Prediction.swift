/// What the output of a model means.
public enum Prediction: String, CaseIterable, Sendable {
  /// The noise ε in the latent: Stable Diffusion 1.x.
  case noise = "epsilon"
  /// v = √ᾱ ε − √(1 − ᾱ) x₀ (Salimans and Ho 2022).
  case velocity = "v_prediction"
  /// The image x₀ itself.
  case image = "sample"

  /// The image x₀ that `output` stands for, in a latent of unit variance.
  func image(_ output: Latents, in latent: Latents, at point: Trajectory.Point) -> Latents {
    switch self {
    case .noise: (latent - point.noise * output) / point.signal
    case .velocity: point.signal * latent - point.noise * output
    case .image: output
    }
  }

  /// The noise ε that `output` stands for, in a latent of unit variance.
  func noise(_ output: Latents, in latent: Latents, at point: Trajectory.Point) -> Latents {
    switch self {
    case .noise: output
    case .velocity: point.signal * output + point.noise * latent
    case .image: (latent - point.signal * output) / point.noise
    }
  }
}
