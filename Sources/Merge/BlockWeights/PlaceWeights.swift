public import StableDiffusion
public import Tensors

/// One weight for each place of the network, and where it comes from.
public struct PlaceWeights: Hashable, Sendable {
  /// What decided a weight.
  public enum Source: Hashable, Sendable {
    /// The one weight for everything.
    case alpha
    /// The weight for everything but the U-Net's blocks, given by itself.
    case baseAlpha
    /// The first number of a list of 26.
    case base
    /// The number for this block in a list.
    case block(Place)
    /// A setting of this place.
    case setting
    /// The dialect, which keeps it from the first model.
    case dialect
  }

  private var weights: [PlaceWeight]
  private var sources: [Source]
  /// What averaged weights (`model_ema.*`) get.
  public let ema: PlaceWeight

  init(ema: (weight: PlaceWeight, source: Source)) {
    self.ema = ema.weight
    weights = Array(repeating: ema.weight, count: Place.allCases.count)
    sources = Array(repeating: ema.source, count: Place.allCases.count)
  }

  /// What the tensors at `place` get.
  public subscript(place: Place) -> PlaceWeight { weights[Int(place.rawValue)] }

  /// What decided the weight of `place`.
  public func source(of place: Place) -> Source { sources[Int(place.rawValue)] }

  mutating func set(_ place: Place, _ value: (weight: PlaceWeight, source: Source)) {
    weights[Int(place.rawValue)] = value.weight
    sources[Int(place.rawValue)] = value.source
  }
}

extension PlaceWeights.Source: CustomStringConvertible {
  /// A few words: `BASE`, `IN00`, `alpha`, `base alpha`, `setting`, `dialect`.
  public var description: String {
    switch self {
    case .alpha: "alpha"
    case .baseAlpha: "base alpha"
    case .base: "BASE"
    case .block(let place): place.description
    case .setting: "setting"
    case .dialect: "dialect"
    }
  }
}

/// The weight of every tensor: by place, refined by elemental rules.
///
///     weights.weight(for: parameter.name(in: .ldm), at: parameter.place)
public struct TensorWeights: Hashable, Sendable {
  /// The weight of each place.
  public let places: PlaceWeights
  /// Weights for single kinds of tensors, over those.
  public let elements: ElementalRules
  /// The convention by which places were given weights.
  public let dialect: Dialect

  /// What a tensor gets.
  ///
  /// - Parameters:
  ///   - name: its name in a single-file checkpoint, which elemental rules look at.
  ///   - place: where it is in the network.
  /// - Returns: the weight of the second model, or that the tensor stays the first model's.
  public func weight(for name: TensorName, at place: Place) -> PlaceWeight {
    let weight = places[place]
    guard
      let ratio = elements.ratio(for: name, at: place, in: dialect, isKept: weight == .kept)
    else { return weight }
    return .weight(dialect.weight(ratio))
  }

  /// Every weight that a tensor may get, each once, in ascending order.
  var numbers: [Double] {
    var numbers = Set(elements.rules.map { dialect.weight($0.ratio) })
    for place in Place.allCases {
      if case .weight(let weight) = places[place] { numbers.insert(weight) }
    }
    return numbers.sorted()
  }
}
