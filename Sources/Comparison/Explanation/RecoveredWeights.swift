import Inspection
public import Merge
public import StableDiffusion
import Tensors

/// The weights of a merge as a user would have given them.
public struct RecoveredWeights: Sendable {
  /// What a recipe says.
  public let specification: WeightSpecification
  /// The convention by which they are spread over the places.
  public let dialect: Dialect
  /// Whether one number explains all places.
  public let isGlobal: Bool
  /// The preset that has these block weights, if there is one.
  public let preset: String?
  /// The places whose weights could not be told, because the inputs are the same there.
  public let undetermined: [Place]
}

extension BlockWeights {
  /// The same numbers, known as the preset that they are.
  fileprivate func renamed(_ name: String) -> BlockWeights {
    (try? BlockWeights(name)) ?? self
  }
}

extension MergeExplanation {
  /// Whether every place is explained, and all tensors could be compared.
  public var fits: Bool {
    !places.isEmpty && places.values.allSatisfy(\.quality.fits) && unexplained.isEmpty
  }

  /// The tensors that their place's weight does not explain, the worst first.
  public var outliers: [Tensor] {
    let found = tensors.enumerated().compactMap { index, tensor -> (Int, Double, Tensor)? in
      let weight = tensor.place.flatMap { places[$0]?.fit.weight } ?? 0
      let ratio = tensor.part.fit.roundingRatio(at: weight)
      return FitQuality(ratio: ratio) == .poor ? (index, ratio, tensor) : nil
    }
    return found.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.map(\.2)
  }

  /// The simplest weights that explain the places.
  ///
  /// One number if that is enough; else 25 and one for `BASE` in the first dialect that fits, with
  /// settings for the places that it gives another weight.
  public var recovered: RecoveredWeights {
    var known: [Place: (weight: Double, error: Double)] = [:]
    for (place, part) in places {
      guard let weight = part.fit.weight else { continue }
      let exact: Double? =
        switch part.quality {
        case .equalsA: 0
        case .equalsB: formula == .weightedSum ? 1 : nil
        default: nil
        }
      let error = exact == nil ? 4 * (part.fit.uncertainty ?? 0) + 1e-6 : 1e-9
      known[place] = (exact ?? weight, error)
    }
    let undetermined = Place.allCases.filter { places[$0] != nil && known[$0] == nil }
    let all = Place.allCases.compactMap { known[$0] }
    if let common = Self.common(all) {
      return RecoveredWeights(
        specification: WeightSpecification(alpha: common), dialect: .mbw, isGlobal: true,
        preset: nil, undetermined: undetermined)
    }
    let dialects = Dialect.all.filter { !$0.invertsWeights }
    let fitting = dialects.first { Self.slots(of: known, in: $0).offending.isEmpty } ?? .mbw
    let (slots, offending) = Self.slots(of: known, in: fitting)
    let blocks = BlockWeights.places.map { slots[.block($0)] ?? 0 }
    let base = slots[.base] ?? 0
    let settings = offending.compactMap { place -> PlaceSetting? in
      known[place].flatMap {
        PlaceSetting(place, through: place, .weight(Self.simplest($0.weight, error: $0.error)))
      }
    }
    let preset = PresetLibrary.classic.presets.first { preset in
      zip(preset.weights.blocks, blocks).allSatisfy { abs($0 - $1) < 5e-4 }
    }
    // A name says more than 25 numbers; the weight of BASE is given beside it.
    let named = preset.map { $0.weights.renamed($0.name) }
    return RecoveredWeights(
      specification: WeightSpecification(
        blocks: named ?? BlockWeights(base: base, blocks: blocks),
        baseAlpha: named == nil ? nil : base, settings: settings),
      dialect: fitting, isGlobal: false, preset: preset?.name, undetermined: undetermined)
  }

  private typealias Known = (weight: Double, error: Double)

  /// The one weight that all are, within their errors and half a thousandth.
  private static func common(_ weights: [Known]) -> Double? {
    guard let first = weights.min(by: { $0.error < $1.error }) else { return nil }
    guard weights.allSatisfy({ abs($0.weight - first.weight) <= $0.error + first.error + 5e-4 })
    else { return nil }
    // Weighted by how well each is known.
    let sum = weights.reduce(0) { $0 + 1 / ($1.error * $1.error) }
    let mean = weights.reduce(0) { $0 + $1.weight / ($1.error * $1.error) } / sum
    return simplest(mean, error: max(1e-6, first.error))
  }

  /// The weights that a dialect's slots would have, and the places that do not have them.
  private static func slots(
    of known: [Place: Known], in dialect: Dialect
  ) -> (slots: [Dialect.Slot: Double], offending: [Place]) {
    var best: [Dialect.Slot: Known] = [:]
    // A block's own place decides, then the one that is known best.
    for place in Place.allCases {
      guard let own = known[place], case .block(place) = dialect.slot(for: place) else { continue }
      best[.block(place)] = own
    }
    for place in Place.allCases {
      let slot = dialect.slot(for: place)
      guard let own = known[place], slot != .kept, best[slot] == nil else { continue }
      best[slot] = own
    }
    let offending = Place.allCases.filter { place in
      guard let own = known[place] else { return false }
      let given = best[dialect.slot(for: place)] ?? (0, 1e-6)
      return abs(own.weight - given.weight) > own.error + given.error + 5e-4
    }
    return (best.mapValues { simplest($0.weight, error: $0.error) }, offending)
  }

  /// The number with the fewest decimals that is as good as `weight`.
  ///
  /// People give few decimals, and what is less than 2e-5 beside the truth is lost in F16.
  static func simplest(_ weight: Double, error: Double) -> Double {
    let error = max(error, 2e-5)
    var scale = 1.0
    for _ in 0..<7 {
      let rounded = (weight * scale).rounded() / scale
      if abs(rounded - weight) <= error { return rounded == 0 ? 0 : rounded }
      scale *= 10
    }
    return (weight * 1e9).rounded() / 1e9
  }

  /// The recipe as a file: where the weights do not explain the result, its first lines say so.
  ///
  /// - Parameter paths: where the inputs are, in their order.
  /// - Returns: YAML.
  public func recipeFile(paths: [String]) -> String {
    let yaml = recipe(paths: paths).yaml
    guard !fits else { return yaml }
    let worst = Place.allCases.compactMap { place in
      places[place].map { (place, $0.fit.roundingRatio(at: nil)) }
    }.max { $0.1 < $1.1 }
    var text = "# This recipe does not make the result again: \(verdict)"
    if let worst {
      text +=
        ".\n# Where it fits worst, at \(worst.0), it leaves over \(Written.measure(worst.1)) times what rounding leaves"
    }
    return text + ".\n" + yaml
  }

  /// A recipe that makes the result again, as far as the weights explain it.
  ///
  /// - Parameter paths: where the inputs are, in their order.
  /// - Returns: a recipe with one step.
  public func recipe(paths: [String]) -> Recipe {
    let names = ["A", "B", "C"].prefix(formula == .weightedSum ? 2 : 3)
    let recovered = self.recovered
    var step = Recipe.Step("result", method: formula.rawValue, inputs: Array(names))
    step.alpha = recovered.specification
    step.dialect = recovered.dialect
    var recipe = Recipe(
      models: zip(names, paths).map { Recipe.Model($0, path: $1) }, steps: [step])
    if let resultType, resultType != inputType, [.f16, .bf16, .f32].contains(resultType) {
      recipe.output.dtype = resultType
    }
    return recipe
  }
}
