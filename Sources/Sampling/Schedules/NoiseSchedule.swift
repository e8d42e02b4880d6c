import Glibc

/// How much noise there is at each of the time steps that a model was trained for.
///
/// β grows from step to step, ᾱ is the product of all 1 − β so far, and σ = √((1 − ᾱ)/ᾱ) is the
/// deviation of the noise beside an image of unit scale. All numbers are F64.
///
///     let schedule = NoiseSchedule()
///     schedule.sigma(at: 999)   // 14.61
///
/// Source: Ho et al. 2020; Nichol and Dhariwal 2021 for the cosine; Lin et al. 2023 (2305.08891)
/// for zero terminal SNR; names as in diffusers.
public struct NoiseSchedule: Hashable, Sendable {
  /// The curve that β follows.
  public enum Curve: String, CaseIterable, Sendable {
    /// √β grows evenly: Stable Diffusion 1.x.
    case scaledLinear = "scaled_linear"
    /// β grows evenly.
    case linear
    /// ᾱ is a squared cosine; no β is above 0.999.
    case squaredCosine = "squaredcos_cap_v2"
  }

  /// ᾱ at each training step, from nearly 1 to nearly 0.
  public let alphaBars: [Double]
  /// Whether the last step is nothing but noise.
  public let hasZeroTerminalSNR: Bool
  private let logSigmas: [Double]
  private let sigmas: [Double]

  /// A schedule of `steps` steps; the defaults are Stable Diffusion 1.5's.
  public init(
    _ curve: Curve = .scaledLinear, from first: Double = 0.00085, to last: Double = 0.012,
    steps: Int = 1000, zeroTerminalSNR: Bool = false
  ) {
    precondition(steps >= 2, "a schedule has at least two steps")
    var betas: [Double]
    switch curve {
    case .scaledLinear:
      betas = evenly(first.squareRoot(), last.squareRoot(), count: steps).map { $0 * $0 }
    case .linear: betas = evenly(first, last, count: steps)
    case .squaredCosine:
      func bar(_ t: Double) -> Double {
        let angle = (t + 0.008) / 1.008 * .pi / 2
        return cos(angle) * cos(angle)
      }
      betas = (0..<steps).map { step in
        let n = Double(steps)
        return min(1 - bar(Double(step + 1) / n) / bar(Double(step) / n), 0.999)
      }
    }
    var product = 1.0
    var bars = betas.map { beta in
      product *= 1 - beta
      return product
    }
    if zeroTerminalSNR {
      let roots = bars.map { $0.squareRoot() }
      let start = roots[0], end = roots[steps - 1]
      bars = roots.map { root in
        let moved = (root - end) * start / (start - end)
        return moved * moved
      }
    }
    alphaBars = bars
    hasZeroTerminalSNR = zeroTerminalSNR
    // A step without any signal has no finite σ; 2⁻²⁴ stands for its ᾱ, as in diffusers.
    sigmas = bars.map { bar in
      let bar = max(bar, 0x1p-24 * (zeroTerminalSNR ? 1 : 0))
      return ((1 - bar) / bar).squareRoot()
    }
    logSigmas = sigmas.map { log($0) }
  }

  /// The number of training steps.
  public var stepCount: Int { alphaBars.count }
  /// σ at the first training step.
  public var minimumSigma: Double { sigmas[0] }
  /// σ at the last training step.
  public var maximumSigma: Double { sigmas[stepCount - 1] }

  /// σ at a time step, interpolated between whole ones.
  public func sigma(at timestep: Double) -> Double {
    let t = min(max(timestep, 0), Double(stepCount - 1))
    let low = min(Int(t), stepCount - 2)
    let share = t - Double(low)
    return sigmas[low] * (1 - share) + sigmas[low + 1] * share
  }

  /// The time step at which the noise has deviation `sigma`, interpolated in log σ.
  public func timestep(sigma: Double) -> Double {
    let wanted = log(max(sigma, 1e-10))
    // σ grows with the step, so the last one that is not above is found by halving.
    var low = 0, high = stepCount - 1
    while high - low > 1 {
      let middle = (low + high) / 2
      if logSigmas[middle] <= wanted { low = middle } else { high = middle }
    }
    let share = (wanted - logSigmas[low]) / (logSigmas[low + 1] - logSigmas[low])
    return Double(low) + min(max(share, 0), 1)
  }
}

/// `count` numbers from `first` to `last` at equal distances.
func evenly(_ first: Double, _ last: Double, count: Int) -> [Double] {
  guard count > 1 else { return count == 1 ? [first] : [] }
  let step = (last - first) / Double(count - 1)
  return (0..<count).map { $0 == count - 1 ? last : first + Double($0) * step }
}
