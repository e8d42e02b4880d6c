import Inspection
import StableDiffusion
import Tensors

/// An open model whose tensors are known by what they are in the network.
struct NamedModel: Sendable {
  /// The open model.
  let source: any TensorSource
  /// What its tensors say it is.
  let identity: ModelIdentity
  /// For each tensor its name in a single-file checkpoint, unique in the model.
  let names: [TensorName]
  /// The tensors by that name.
  let positions: [TensorName: Int]

  init(_ source: any TensorSource) {
    self.source = source
    let identity = ModelIdentity(source.tensors)
    self.identity = identity
    names = source.tensors.enumerated().map { index, tensor in
      switch identity.uses[index] {
      case .parameter(let position):
        TensorName(identity.schema.parameters[position].name(in: .ldm))
      case .average(let position):
        identity.schema.parameters[position].averageName.map { TensorName($0) } ?? tensor.name
      case .extra(.positionIDs): KnownExtra.positionIDsName
      case .extra, .unexpected, .unmapped, .repeated: tensor.name
      }
    }
    positions = Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
  }

  /// The parameter of the network that tensor `index` is, if it is one.
  func parameter(_ index: Int) -> Parameter? {
    guard case .parameter(let position) = identity.uses[index] else { return nil }
    return identity.schema.parameters[position]
  }

  /// What is said about the model.
  var summary: ComparedModel {
    ComparedModel(
      path: source.path, title: identity.title + ", " + source.container.title,
      kind: identity.kind, tensorCount: source.tensors.count,
      byteCount: source.tensors.reduce(0) { $0.addingReportingOverflow($1.byteCount).partialValue })
  }
}

/// One tensor of the network, or beside it, in several models.
struct Correspondence: Sendable {
  /// Its name in a single-file checkpoint.
  let name: TensorName
  /// Its position in each model that has it.
  let tensors: [Int?]
  /// What it is in the network.
  let parameter: Parameter?
  /// Whether models are used without it.
  let isOptional: Bool

  /// All tensors of `models`: the network's in its order, then the others by name.
  static func all(of models: [NamedModel]) -> [Correspondence] {
    struct Entry {
      var tensors: [Int?]
      var parameter: Parameter?
      var order = Int.max
      var isOptional = false
    }
    var found: [TensorName: Entry] = [:]
    for (model, named) in models.enumerated() {
      for (index, name) in named.names.enumerated() where named.positions[name] == index {
        var entry = found[name] ?? Entry(tensors: Array(repeating: nil, count: models.count))
        entry.tensors[model] = index
        switch named.identity.uses[index] {
        case .parameter(let position):
          if entry.parameter == nil {
            entry.parameter = named.identity.schema.parameters[position]
            entry.order = position
          }
        case .extra, .average, .repeated: entry.isOptional = true
        case .unexpected, .unmapped: break
        }
        found[name] = entry
      }
    }
    return found.sorted { a, b in
      a.value.order != b.value.order ? a.value.order < b.value.order : a.key < b.key
    }.map { name, entry in
      Correspondence(
        name: name, tensors: entry.tensors, parameter: entry.parameter,
        isOptional: entry.isOptional)
    }
  }

  /// Whether the values of the tensor in two models lie in the same order.
  func isComparable(_ a: TensorInfo, _ b: TensorInfo) -> Bool {
    guard a.shape != b.shape else { return true }
    // A 1×1 convolution holds the same values as a matrix.
    guard parameter != nil, a.elementCount == b.elementCount else { return false }
    func matrix(_ shape: [Int]) -> ArraySlice<Int> {
      shape.count == 4 && shape[2] == 1 && shape[3] == 1 ? shape.prefix(2) : shape[...]
    }
    return matrix(a.shape) == matrix(b.shape)
  }
}
