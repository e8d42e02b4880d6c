public import Tensors

/// A number that a method takes.
public struct MergeParameter: Hashable, Sendable {
  /// Which field of ``MergeSettings`` it is.
  public enum Kind: String, CaseIterable, Sendable {
    case alpha, beta, gamma, density, epsilon, weights, seed
  }

  /// Which one.
  public let kind: Kind
  /// What it is unless given.
  public let initial: Double
  /// What it may be; only finite numbers are ever accepted.
  public let range: ClosedRange<Double>

  /// α: how much of the second model, or of a difference, is taken; may vary between tensors.
  public static func alpha(
    _ initial: Double, in range: ClosedRange<Double> = .anything
  ) -> MergeParameter { MergeParameter(kind: .alpha, initial: initial, range: range) }
  /// β: the second proportion of a method that has two; may vary between tensors.
  public static func beta(
    _ initial: Double, in range: ClosedRange<Double> = .anything
  ) -> MergeParameter { MergeParameter(kind: .beta, initial: initial, range: range) }
  /// γ: the third number of a method.
  public static func gamma(
    _ initial: Double, in range: ClosedRange<Double>
  ) -> MergeParameter { MergeParameter(kind: .gamma, initial: initial, range: range) }
  /// ρ: the proportion of the differences that is kept.
  public static func density(_ initial: Double) -> MergeParameter {
    MergeParameter(kind: .density, initial: initial, range: 0...1)
  }
  /// ε: half the width of the range of probabilities.
  public static func epsilon(_ initial: Double) -> MergeParameter {
    MergeParameter(kind: .epsilon, initial: initial, range: 0...0.5)
  }
  /// w: a weight for each model but the base; each is 1 if none are given.
  public static let weights = MergeParameter(kind: .weights, initial: 1, range: .anything)
  /// The number that random choices follow from.
  public static let seed = MergeParameter(kind: .seed, initial: 0, range: .anything)
}

extension ClosedRange<Double> {
  /// All finite numbers.
  public static var anything: ClosedRange<Double> {
    -Double.greatestFiniteMagnitude ... .greatestFiniteMagnitude
  }
}

/// The parameters of a merge, as they apply to one tensor.
public struct MergeSettings: Hashable, Sendable {
  /// α, see ``MergeParameter``.
  public var alpha = 0.5
  /// β.
  public var beta = 0.0
  /// γ.
  public var gamma = 0.0
  /// ρ, the proportion that is kept.
  public var density = 1.0
  /// ε, half the width of a range of probabilities.
  public var epsilon = 0.0
  /// A weight for each model, without the base; empty if all are 1.
  public var weights: [Double] = []
  /// The number that random choices follow from.
  public var seed: UInt64 = 0
  /// How results are rounded.
  public var arithmetic = Arithmetic.exact
  /// What the first pass found, for a ``SurveyingMergeMethod``.
  public var survey: MergeSurvey?

  /// The defaults of `method`.
  public init(defaultsOf method: some MergeMethod) {
    for parameter in method.parameters {
      switch parameter.kind {
      case .alpha: alpha = parameter.initial
      case .beta: beta = parameter.initial
      case .gamma: gamma = parameter.initial
      case .density: density = parameter.initial
      case .epsilon: epsilon = parameter.initial
      case .weights, .seed: break
      }
    }
  }

  /// The weight of model `index`, the base not counted.
  public func weight(_ index: Int) -> Double { weights.isEmpty ? 1 : weights[index] }

  /// The value of a parameter that is one number.
  func value(of kind: MergeParameter.Kind) -> Double? {
    switch kind {
    case .alpha: alpha
    case .beta: beta
    case .gamma: gamma
    case .density: density
    case .epsilon: epsilon
    case .weights, .seed: nil
    }
  }
}

extension MergeMethod {
  /// Checks the number of inputs, and that every parameter is in its range.
  ///
  /// - Throws: ``Rule/mergeInputCount``, ``Rule/mergeParameter``.
  public func check(inputs count: Int, settings: MergeSettings) throws(Fault) {
    let least = inputs.names.count
    guard inputs.isOpen ? count >= least : count == least else {
      throw Fault(
        .mergeInputCount, "method \(name) got the wrong number of models",
        expected: (inputs.isOpen ? "at least " : "") + "\(least)", found: "\(count)",
        hint: "it computes \(formula)")
    }
    for parameter in parameters {
      if let value = settings.value(of: parameter.kind) {
        try check(value, parameter, parameter.kind.rawValue)
      } else if parameter.kind == .weights, !settings.weights.isEmpty {
        let expected = inputs.weighted(of: count)
        guard settings.weights.count == expected else {
          throw Fault(
            .mergeParameter, "method \(name) got the wrong number of weights",
            expected: "\(expected)", found: "\(settings.weights.count)",
            hint: inputs.base == nil ? "one for each model" : "one for each model but the base")
        }
        for weight in settings.weights { try check(weight, parameter, "weight") }
      }
    }
    try checkTogether(settings)
  }

  private func check(
    _ value: Double, _ parameter: MergeParameter, _ title: String
  ) throws(Fault) {
    // Written so that a NaN fails.
    guard value.isFinite, parameter.range.contains(value) else {
      let range = parameter.range
      throw Fault(
        .mergeParameter, "\(title) is out of range for method \(name)",
        expected: range == .anything
          ? "a finite number" : "\(range.lowerBound) to \(range.upperBound)", found: "\(value)")
    }
  }
}
