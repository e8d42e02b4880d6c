import Tensors

/// Which values of a model's difference from the base are kept, the others becoming zero.
enum Sparsity {
  /// The largest `⌊ρn⌋`, at least one if ρ > 0.
  case largest
  /// Those as large as the `⌊(1 − ρ)n⌋`th smallest, at least the first, or larger.
  case aboveThreshold
  /// The `⌊ρn⌋` largest without the `⌊γn⌋` largest of all, if as many are left.
  case withoutOutliers
  /// Each with probability ρ.
  case random
  /// Each with a probability from ρ − ε to ρ + ε, by its rank along the second axis.
  case randomByRank
}

/// By what the kept values are multiplied to make up for the others.
enum Rescaling {
  /// Nothing.
  case none
  /// One over the proportion that is kept on average.
  case density
  /// The ratio of the sums of magnitudes before and after; nothing where one is below 10⁻⁷.
  case magnitudes
}

extension Sparsity {
  /// Replaces the differences of model `model` that are not kept, and scales the others.
  func apply(
    to values: inout [Float], _ rescaling: Rescaling, tensor: MergedTensor,
    settings: MergeSettings, model: Int
  ) {
    let density = settings.density
    guard density < 1, !values.isEmpty else { return }
    let before = rescaling == .magnitudes ? Self.magnitudes(values) : 0
    if density <= 0 && !isThreshold {
      for i in values.indices { values[i] = 0 }
      return
    }
    let n = values.count
    switch self {
    case .largest:
      let kept = max(1, Int(density * Double(n)))
      Self.keep(ranks: n - kept..<n, of: &values)
    case .aboveThreshold:
      let rank = max(1, Int((1 - density) * Double(n))) - 1
      let threshold = Ranking.select(rank, of: n) { Ranking.magnitude(values[$0]) }.key
      for i in 0..<n where Ranking.magnitude(values[i]) < threshold { values[i] = 0 }
    case .withoutOutliers:
      let kept = Int(density * Double(n))
      let start = max(0, n - kept - Int(settings.gamma * Double(n)))
      Self.keep(ranks: start..<start + kept, of: &values)
    case .random:
      var random = Philox(seed: settings.seed, tensor: tensor.name, model: model)
      let limit = Float(density)
      for i in 0..<n where random.uniform(tensor.first + i) >= limit { values[i] = 0 }
    case .randomByRank:
      var random = Philox(seed: settings.seed, tensor: tensor.name, model: model)
      let probabilities = Self.probabilities(values, tensor.shape, settings)
      for i in 0..<n where random.uniform(tensor.first + i) >= probabilities[i] { values[i] = 0 }
    }
    let scale: Double
    switch rescaling {
    case .none: return
    case .density: scale = 1 / density
    case .magnitudes:
      let after = Self.magnitudes(values)
      scale = before < 1e-7 || after < 1e-7 ? 1 : before / after
    }
    for i in 0..<n { values[i] = Float(Double(values[i]) * scale) }
  }

  private var isThreshold: Bool { if case .aboveThreshold = self { true } else { false } }

  private static func magnitudes(_ values: [Float]) -> Double {
    Sums.sum(values.count) { Double(values[$0].magnitude) }
  }

  /// Keeps the values whose place in the order of magnitudes, smallest first, is in `ranks`.
  ///
  /// Equal magnitudes stand in the order of the tensor.
  private static func keep(ranks: Range<Int>, of values: inout [Float]) {
    let n = values.count
    guard !ranks.isEmpty else {
      for i in 0..<n { values[i] = 0 }
      return
    }
    let (low, belowLow) = Ranking.select(ranks.lowerBound, of: n) {
      Ranking.magnitude(values[$0])
    }
    let (high, belowHigh) = Ranking.select(ranks.upperBound - 1, of: n) {
      Ranking.magnitude(values[$0])
    }
    var (lowRank, highRank) = (belowLow, belowHigh)
    for i in 0..<n {
      let key = Ranking.magnitude(values[i])
      var isKept = key >= low && key <= high
      if key == low {
        isKept = isKept && lowRank >= ranks.lowerBound
        lowRank += 1
      }
      if key == high {
        isKept = isKept && highRank < ranks.upperBound
        highRank += 1
      }
      if !isKept { values[i] = 0 }
    }
  }

  /// Checks that ρ − ε and ρ + ε are probabilities, unless all or nothing is kept.
  static func checkProbabilities(_ settings: MergeSettings) throws(Fault) {
    let (density, epsilon) = (settings.density, settings.epsilon)
    guard density > 0, density < 1 else { return }
    guard density - epsilon > 0, density + epsilon < 1 else {
      throw Fault(
        .mergeParameter, "epsilon is too large for the density",
        expected: "density − epsilon and density + epsilon between 0 and 1",
        found: "\(density - epsilon) and \(density + epsilon)")
    }
  }

  /// The probability that each value is kept: it rises with the rank of its magnitude.
  ///
  /// Ranks are taken along the second axis, or along the only one. Where there is one rank only,
  /// the probability is ρ.
  private static func probabilities(
    _ values: [Float], _ shape: [Int], _ settings: MergeSettings
  ) -> [Float] {
    let axis = shape.count > 1 ? 1 : 0
    let extent = shape.isEmpty ? 1 : max(1, shape[axis])
    let stride = max(1, shape.dropFirst(axis + 1).reduce(1, *))
    let (least, width) = (settings.density - settings.epsilon, 2 * settings.epsilon)
    var result = [Float](repeating: Float(settings.density), count: values.count)
    guard extent > 1 else { return result }
    for block in Swift.stride(from: 0, to: values.count, by: extent * stride) {
      for start in block..<block + stride {
        let order = Ranking.order(extent) { Ranking.magnitude(values[start + $0 * stride]) }
        for (rank, place) in order.enumerated() {
          let part = Double(rank) / Double(extent - 1)
          result[start + Int(place) * stride] = Float(least + part * width)
        }
      }
    }
    return result
  }
}
