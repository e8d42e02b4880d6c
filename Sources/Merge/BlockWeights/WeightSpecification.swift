import StableDiffusion
public import Tensors

/// Everything a user said about one weight of a merge (its α, or its β), before it is spread over
/// the places.
///
///     var wanted = WeightSpecification()
///     wanted.blocks = try BlockWeights("GRAD_V")
///     wanted.settings = [try PlaceSetting("CLIP=0.2")]
///     let weights = try wanted.resolved(in: .mbw)
///     weights.places[.in00]   // .weight(1)
///
/// From weak to strong: ``alpha``, the blocks' weights, ``baseAlpha``, what the dialect keeps,
/// single settings (of several the last), elemental rules.
public struct WeightSpecification: Hashable, Sendable {
  /// The weight where nothing else says one; the method's default if absent.
  public var alpha: Double?
  /// Weights for the blocks.
  public var blocks: BlockWeights?
  /// The weight for `BASE`: needed by lists of 25, overriding a preset's.
  public var baseAlpha: Double?
  /// Weights for single places.
  public var settings: [PlaceSetting]
  /// Weights for single kinds of tensors.
  public var elements: ElementalRules

  /// What is given.
  public init(
    alpha: Double? = nil, blocks: BlockWeights? = nil, baseAlpha: Double? = nil,
    settings: [PlaceSetting] = [], elements: ElementalRules = ElementalRules()
  ) {
    self.alpha = alpha
    self.blocks = blocks
    self.baseAlpha = baseAlpha
    self.settings = settings
    self.elements = elements
  }

  /// Whether it is a single number for all places.
  var isScalar: Bool {
    blocks == nil && baseAlpha == nil && settings.isEmpty && elements.rules.isEmpty
  }

  /// Spreads the weights over the places.
  ///
  /// A list of 25 without ``baseAlpha`` takes ``alpha`` for `BASE` if that was given, else 0 as
  /// bbc-mc's slider does.
  ///
  /// - Parameters:
  ///   - dialect: the convention.
  ///   - initial: the weight where nothing is given: the method's default.
  /// - Returns: a weight for every place and tensor.
  /// - Throws: ``Tensors/Rule/contradictingWeights`` if a list of 26 and ``baseAlpha`` both give
  ///   a weight for `BASE`; ``Tensors/Rule/weightCount`` if ComfyUI's ratios meet another dialect;
  ///   ``Tensors/Rule/weightSyntax`` if a number is not finite.
  public func resolved(
    in dialect: Dialect, initial: Double = 0.5
  ) throws(Fault) -> TensorWeights {
    if let blocks, let base = blocks.base, let baseAlpha, blocks.origin == .list, base != baseAlpha
    {
      throw Fault(
        .contradictingWeights, "has two weights for BASE", expected: "one",
        found: "\(spelled(base)) at the list's beginning and \(spelled(baseAlpha)) as base alpha",
        hint: "leave out the base alpha, or the first of the 26 numbers")
    }
    if let blocks, !blocks.extras.isEmpty, dialect != .comfyui {
      throw Fault(
        .weightCount, "has the ratios of ComfyUI's nodes", expected: "25 or 26 weights",
        found: "3 or 30", hint: "choose the dialect comfyui, where ratios are the first model's")
    }
    for weight in [alpha, baseAlpha] {
      guard weight?.isFinite != false else {
        throw Fault(.weightSyntax, "has a weight that is not a finite number")
      }
    }
    var places = PlaceWeights(ema: value(of: dialect.ema, in: dialect, initial))
    for place in Place.allCases {
      if let extra = blocks?.extras[place] {
        places.set(place, value(extra, .block(place), in: dialect))
      } else {
        places.set(place, value(of: dialect.slot(for: place), in: dialect, initial))
      }
    }
    for setting in settings {
      for place in setting.places {
        switch setting.weight {
        case .kept: places.set(place, (.kept, .setting))
        case .weight(let weight): places.set(place, value(weight, .setting, in: dialect))
        }
      }
    }
    return TensorWeights(places: places, elements: elements, dialect: dialect)
  }

  private typealias Value = (weight: PlaceWeight, source: PlaceWeights.Source)

  private func value(
    _ number: Double, _ source: PlaceWeights.Source, in dialect: Dialect
  ) -> Value { (.weight(dialect.weight(number)), source) }

  private func value(of slot: Dialect.Slot, in dialect: Dialect, _ initial: Double) -> Value {
    switch slot {
    case .kept: return (.kept, .dialect)
    case .base:
      if let baseAlpha { return value(baseAlpha, .baseAlpha, in: dialect) }
      if let base = blocks?.base { return value(base, .base, in: dialect) }
      if let alpha { return value(alpha, .alpha, in: dialect) }
      guard blocks == nil else { return (.weight(0), .baseAlpha) }
      return (.weight(initial), .alpha)
    case .block(let place):
      if let weight = blocks?[place] { return value(weight, .block(place), in: dialect) }
      return alpha.map { value($0, .alpha, in: dialect) } ?? (.weight(initial), .alpha)
    }
  }
}

extension Dialect {
  /// The weight of the second model that `number` means.
  func weight(_ number: Double) -> Double { invertsWeights ? 1 - number : number }
}
