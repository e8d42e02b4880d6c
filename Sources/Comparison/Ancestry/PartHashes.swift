import Inspection
import StableDiffusion
import Tensors

/// The parts that models share, found by their distance and confirmed by their hash.
struct PartHashes {
  private(set) var shared: [Ancestry.SharedPart] = []
  private(set) var copies: [Ancestry.Copies] = []

  /// Nothing is looked for.
  init() {}

  /// What rounding to F16 may have changed, and more.
  private static let tolerance = 1e-3

  init(
    _ models: [NamedModel], _ distances: SampledDistances, width: Int
  ) throws(Fault) {
    var identities = [[Component: ContentID]](repeating: [:], count: models.count)
    for component in Component.allCases {
      let places = Set(
        Schema.sd15.parameters(of: component).map(\.place))
      var near: Set<Int> = []
      for high in models.indices {
        for low in 0..<high {
          guard let distance = distances.distance(low, high, at: places),
            distance < Self.tolerance
          else { continue }
          near.formUnion([low, high])
        }
      }
      for model in near.sorted() {
        identities[model][component] = try models[model].contentID(of: component, width: width)
      }
      let groups = Dictionary(
        grouping: near.sorted(), by: { identities[$0][component].map { "\($0.half)" } ?? "" })
      shared += groups.filter { !$0.key.isEmpty && $0.value.count > 1 }
        .map { Ancestry.SharedPart(component: component, hash: $0.key, models: $0.value) }
        .sorted { ($0.models[0], $0.hash) < ($1.models[0], $1.hash) }
    }
    // Copies have all parts in common.
    let complete = models.indices.filter { model in
      !identities[model].isEmpty
        && Component.allCases.allSatisfy {
          identities[model][$0] != nil || models[model].identity[$0] == nil
        }
    }
    func key(_ model: Int, _ hash: (ContentID) -> Digest) -> String {
      Component.allCases.map { identities[model][$0].map { "\(hash($0))" } ?? "-" }
        .joined(separator: " ")
    }
    copies = Dictionary(grouping: complete, by: { key($0, \.half) }).values
      .filter { $0.count > 1 }
      .map { group in
        Ancestry.Copies(models: group, isExact: Set(group.map { key($0, \.exact) }).count == 1)
      }
      .sorted { $0.models[0] < $1.models[0] }
  }
}

extension NamedModel {
  /// What one component is, whatever its names and shapes in the file.
  fileprivate func contentID(of component: Component, width: Int) throws(Fault) -> ContentID {
    var canonical: [TensorName: TensorInfo] = [:]
    var selection: [Int] = []
    for (index, tensor) in source.tensors.enumerated() {
      guard let parameter = parameter(index), parameter.component == component else { continue }
      selection.append(index)
      canonical[tensor.name] =
        tensor.reshaped(parameter.shape)?.renamed(TensorName(parameter.name(in: .ldm)))
    }
    let hashes = try source.tensorHashes(of: selection, roundingToHalf: true, width: width)
    return ContentID(hashes) { canonical[$0.name] ?? $0 }
  }
}
