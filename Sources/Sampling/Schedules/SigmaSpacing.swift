import Glibc

/// How the noise falls from step to step: users know these as schedule types.
///
/// Source: Karras et al. 2022 (2206.00364), equation 5; k-diffusion; Lee et al. 2024 (2407.12173)
/// for beta.
public enum SigmaSpacing: String, CaseIterable, Sendable {
  /// As the time steps have it: the model's own schedule.
  case normal
  /// Evenly in σ^(1/7): many steps with little noise.
  case karras
  /// Evenly in log σ.
  case exponential
  /// Evenly in σ.
  case linear
  /// Along half a cosine from the greatest σ to the least.
  case cosine
  /// By the quantiles of the beta distribution with parameters 0.6 and 0.6: dense at both ends.
  case beta

  /// The name in the web UIs.
  public var title: String {
    switch self {
    case .normal: "Uniform"
    case .karras: "Karras"
    case .exponential: "Exponential"
    case .linear: "Linear"
    case .cosine: "Cosine"
    case .beta: "Beta"
    }
  }

  /// The schedule called `name`, here or in the web UIs; case does not count.
  ///
  ///     SigmaSpacing(named: "Karras")   // .karras
  public init?(named name: some StringProtocol) {
    let name = name.lowercased()
    let match = Self.allCases.first { $0.rawValue == name || $0.title.lowercased() == name }
    guard let spacing = match ?? (name == "automatic" ? .normal : nil) else { return nil }
    self = spacing
  }

  /// `count` deviations from `highest` down to `lowest`, or `nil` for ``normal``.
  func sigmas(from highest: Double, to lowest: Double, count: Int) -> [Double]? {
    let ramp = evenly(0, 1, count: count)
    switch self {
    case .normal: return nil
    case .karras:
      let rho = 7.0
      let top = pow(highest, 1 / rho), bottom = pow(lowest, 1 / rho)
      return ramp.map { pow(top + $0 * (bottom - top), rho) }
    case .exponential:
      return evenly(log(highest), log(lowest), count: count).map { exp($0) }
    case .linear: return evenly(highest, lowest, count: count)
    case .cosine:
      return ramp.map { lowest + (highest - lowest) * (1 + cos(.pi * $0)) / 2 }
    case .beta:
      return ramp.map { lowest + betaQuantile(1 - $0, a: 0.6, b: 0.6) * (highest - lowest) }
    }
  }
}
