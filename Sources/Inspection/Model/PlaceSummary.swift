public import StableDiffusion
import Tensors

/// What a model has at one merge place.
public struct PlaceSummary: Hashable, Sendable {
  /// The place.
  public let place: Place
  /// The number of tensors there.
  public let tensorCount: Int
  /// The number of values in them.
  public let elementCount: Int
  /// The bytes they take.
  public let byteCount: Int
}

extension InspectedModel {
  /// What is at each place where anything is, in the order of ``Place``.
  public var places: [PlaceSummary] {
    var counts: [Place: (tensors: Int, elements: Int, bytes: Int)] = [:]
    for (index, use) in identity.uses.enumerated() {
      guard case .parameter(let position) = use else { continue }
      let tensor = source.tensors[index]
      var count = counts[identity.schema.parameters[position].place] ?? (0, 0, 0)
      count.tensors += 1
      count.elements = count.elements.addingReportingOverflow(tensor.elementCount).partialValue
      count.bytes = count.bytes.addingReportingOverflow(tensor.byteCount).partialValue
      counts[identity.schema.parameters[position].place] = count
    }
    return Place.allCases.compactMap { place in
      counts[place].map {
        PlaceSummary(
          place: place, tensorCount: $0.tensors, elementCount: $0.elements, byteCount: $0.bytes)
      }
    }
  }
}

/// How many layers of each kind a model has.
public struct LayerCensus: Hashable, Sendable {
  /// A kind of layer with the constants that no tensor tells.
  public let operation: String
  /// How many there are.
  public let count: Int

  /// The normalisations of the components that are there: `GroupNorm(32, ε 1e-5)` and the like.
  public static func norms(of identity: ModelIdentity) -> [LayerCensus] {
    census(of: identity) { parameter in
      switch parameter.operation {
      case .groupNorm(let groups, let epsilon):
        "GroupNorm(\(groups), ε \(powerOfTen(epsilon)))"
      case .layerNorm(let epsilon): "LayerNorm(ε \(powerOfTen(epsilon)))"
      default: nil
      }
    }
  }

  /// The other layers of the components that are there: `Conv2d 3×3`, `Linear`, `Embedding`.
  public static func others(of identity: ModelIdentity) -> [LayerCensus] {
    census(of: identity) { parameter in
      switch parameter.operation {
      case .conv(let kernel, _, _): "Conv2d \(kernel)×\(kernel)"
      case .linear: "Linear"
      case .embedding: "Embedding"
      default: nil
      }
    }
  }

  private static func census(
    of identity: ModelIdentity, _ title: (Parameter) -> String?
  ) -> [LayerCensus] {
    var counts: [String: Int] = [:]
    for (position, parameter) in identity.schema.parameters.enumerated()
    where parameter.slot == .weight && identity.tensor(of: position) != nil {
      if let title = title(parameter) { counts[title, default: 0] += 1 }
    }
    return counts.map { LayerCensus(operation: $0.key, count: $0.value) }
      .sorted { ($1.count, $0.operation) < ($0.count, $1.operation) }
  }
}
