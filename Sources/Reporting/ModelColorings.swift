public import Drawing
import Inspection
public import Merge
public import StableDiffusion
public import Tensors

extension Coloring {
  /// The weight of the second model.
  ///
  /// - Parameters:
  ///   - weights: the weights of a merge.
  ///   - name: what they are called.
  ///   - schema: the network.
  /// - Returns: the colours.
  public static func weights(
    _ weights: TensorWeights, named name: String, schema: Schema
  ) -> Coloring {
    var coloring = Coloring.weights(
      "weight of the second model (\(name))", schema: schema
    ) { parameter in
      switch weights.weight(for: parameter) {
      case .weight(let weight): weight
      case .kept: nil
      }
    }
    coloring.absent = "kept from the first"
    return coloring
  }

  /// The gravest finding about each parameter.
  ///
  /// - Parameters:
  ///   - findings: what a validation found.
  ///   - identity: the model.
  /// - Returns: the colours.
  public static func findings(_ findings: [Fault], identity: ModelIdentity) -> Coloring {
    let categories = [
      Category("no finding", .good), Category("note", .note), Category("warning", .warning),
      Category("error", .bad), Category("fatal", .bad),
    ]
    var classes: [Int?] = identity.schema.parameters.indices.map {
      identity.tensor(of: $0) == nil ? nil : 0
    }
    for fault in findings {
      guard let tensor = fault.tensor, let match = identity.schema.match(tensor) else { continue }
      let level =
        switch fault.severity {
        case .note: 1
        case .warning: 2
        case .error: 3
        case .fatal: 4
        }
      classes[match.parameter] = max(classes[match.parameter] ?? 0, level)
    }
    let used = classes.compactMap { $0 }.max() ?? 0
    return Coloring(
      "findings of the validation", classes: classes,
      categories: Array(categories.prefix(max(used + 1, 1))), join: .highest)
  }

  /// The type in which each parameter is stored.
  public static func types(of identity: ModelIdentity) -> Coloring {
    let tokens: [Token] = [
      .convolution, .attention, .residual, .resampling, .linear, .embedding, .normalization,
    ]
    var types: [DType] = []
    let stored: [DType?] = identity.schema.parameters.indices.map { position in
      guard let index = identity.tensor(of: position) else { return nil }
      let type = identity.tensors[index].dtype
      if !types.contains(type) { types.append(type) }
      return type
    }
    types.sort()
    var categories = types.enumerated().map { index, type in
      Category(type.name, tokens[min(index, tokens.count - 1)])
    }
    // A mixture can only be where there are several.
    if types.count > 1 { categories.append(Category("several", .warning)) }
    return Coloring(
      "element type", classes: stored.map { $0.flatMap { types.firstIndex(of: $0) } },
      categories: categories, join: .mixed)
  }
}
