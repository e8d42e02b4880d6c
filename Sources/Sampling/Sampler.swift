public import Tensors

/// A way from noise to an image, in steps, each of which asks the model once or twice.
///
/// A value makes one picture, or one batch: it remembers what its formula needs of earlier steps.
public protocol Sampler: Sendable {
  /// The name on a command line, for example `"dpmpp-2m"`.
  static var name: String { get }
  /// The name in the web UIs, for example `"DPM++ 2M"`.
  static var title: String { get }
  /// How its steps are laid out.
  static var layout: SamplerLayout { get }
  /// How its latents grow with the noise.
  static var scale: LatentScale { get }
  /// Whether the last step arrives at the first training step, with a trace of noise.
  static var endsAtFirstStep: Bool { get }
  /// How often the model is asked in each step but the last, where it is asked once.
  static var evaluationsPerStep: Int { get }

  /// A sampler that has made no step yet.
  init(_ settings: SamplerSettings)

  /// Goes from point `index` of the run's trajectory to the next.
  mutating func step(_ x: inout Latents, from index: Int, in run: SamplingRun) throws(Fault)
}

extension Sampler {
  /// Nearly all samplers end without noise.
  public static var endsAtFirstStep: Bool { false }
  /// Most samplers ask once.
  public static var evaluationsPerStep: Int { 1 }

  /// How often the model is asked in `steps` steps.
  public static func evaluations(steps: Int) -> Int { (steps - 1) * evaluationsPerStep + 1 }
}

/// How the steps of a sampler are laid out over the training steps.
public enum SamplerLayout: Sendable {
  /// Whole training steps.
  case discrete
  /// Any time steps.
  case continuous
  /// Whole training steps, one more than needed, of which the last is left away.
  case multistep
  /// Training steps that a latent consistency model was distilled for.
  case consistency

  /// How time steps are spread if nobody says how: as the scheduler's default in diffusers, and for
  /// the samplers of k-diffusion as in the web UIs.
  public var usualSpacing: TimestepSpacing {
    switch self {
    case .discrete, .consistency: .leading
    case .continuous, .multistep: .linspace
    }
  }
}

/// How latents grow with the noise.
public enum LatentScale: Sendable {
  /// Unit variance at every step: √ᾱ x₀ + √(1 − ᾱ) ε, which is what the model sees.
  case preserving
  /// The image keeps its scale: x₀ + σ ε.
  case exploding
}

/// What users can choose about a sampler.
public struct SamplerSettings: Hashable, Sendable {
  /// The share of fresh noise: 0 follows the deterministic path, 1 the stochastic one.
  ///
  /// For DDIM and the ancestral samplers; `nil` for the sampler's own habit.
  public var eta: Double?
  /// Whether DDPM adds β of noise, rather than what the posterior has.
  public var usesLargeVariance = false

  /// The samplers' own habits.
  public init(eta: Double? = nil, usesLargeVariance: Bool = false) {
    self.eta = eta
    self.usesLargeVariance = usesLargeVariance
  }
}
