import LoRA
public import StableDiffusion
public import Tensors

/// A model that takes part in a merge.
public struct MergeInput: Sendable {
  /// The open model.
  public let source: any TensorSource
  /// What its tensors say it is.
  public let identity: ModelIdentity

  /// For each tensor the type that it had in a file; what is computed from files is wider.
  let originalTypes: [DType]
  /// For each tensor its name in a single-file checkpoint, by which inputs are compared.
  let names: [TensorName]
  /// The tensors by that name; ones that repeat another are left out.
  let positions: [TensorName: Int]

  /// An open model.
  public init(_ source: any TensorSource) {
    self.source = source
    originalTypes = Self.originalTypes(source)
    let identity = ModelIdentity(source.tensors)
    self.identity = identity
    var positions = [TensorName: Int](minimumCapacity: source.tensors.count)
    names = source.tensors.enumerated().map { index, tensor in
      let name: TensorName
      switch identity.uses[index] {
      case .parameter(let position):
        name = TensorName(identity.schema.parameters[position].name(in: .ldm))
      case .average(let position):
        name =
          identity.schema.parameters[position].averageName.map { TensorName($0) }
          ?? tensor.name
      case .extra(.positionIDs): name = KnownExtra.positionIDsName
      case .extra, .unexpected, .unmapped: name = tensor.name
      case .repeated: return tensor.name
      }
      if positions[name] == nil { positions[name] = index }
      return name
    }
    self.positions = positions
  }

  private static func originalTypes(_ source: any TensorSource) -> [DType] {
    var source = source
    while let merged = source as? LoRAMergedSource { source = merged.plan.base }
    guard let plan = (source as? MergedSource)?.plan, plan.request.types.isForMerged else {
      return source.tensors.map(\.dtype)
    }
    return plan.tensors.map(\.originalType)
  }

  /// The shape of tensor `index` as single-file checkpoints have it.
  ///
  /// Where they have a 1×1 convolution and the input has a matrix, or the other way round.
  func shape(of index: Int) -> [Int] {
    identity.originalShape(of: index, stored: source.tensors[index].shape)
  }
}

/// One input's tensor in a merge.
public struct MergeOperand: Hashable, Sendable {
  /// The position of the input.
  public let input: Int
  /// The position of the tensor in that input.
  public let tensor: Int
  /// How it is stored.
  public let dtype: DType
}
