import StableDiffusion
public import Tensors

extension InspectedModel {
  /// How a tensor is called and shaped in a single-file checkpoint, whatever the layout of the model.
  ///
  /// Parameters of the network get their original names; everything else keeps its own. So models
  /// in different layouts have the same ``ContentID``.
  public var canonicalTensors: [TensorName: TensorInfo] {
    var canonical: [TensorName: TensorInfo] = [:]
    for (index, tensor) in source.tensors.enumerated() {
      guard case .parameter(let position) = identity.uses[index] else { continue }
      let parameter = identity.schema.parameters[position]
      canonical[tensor.name] =
        tensor.reshaped(parameter.shape)?.renamed(TensorName(parameter.name(in: .ldm)))
    }
    if let index = identity.positionIDs {
      let tensor = source.tensors[index]
      canonical[tensor.name] = tensor.renamed(KnownExtra.positionIDsName)
    }
    return canonical
  }

  /// What the model is, whatever it lies in; `hashes` were made with `roundingToHalf`.
  public func contentID(_ hashes: [TensorHash]) -> ContentID {
    let canonical = canonicalTensors
    return ContentID(hashes) { canonical[$0.name] ?? $0 }
  }
}
