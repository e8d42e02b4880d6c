public import StableDiffusion
public import Tensors

/// How the tensors of a model are called and shaped in another layout, and which have no place there.
public struct Arrangement: Sendable {
  /// For each tensor that is written its position in the model, and how it is seen in the output.
  public let selection: [(index: Int, info: TensorInfo)]
  /// The positions of the tensors that have no place in the layout.
  public let dropped: [Int]

  /// Arranges the tensors that `identity` judged for `layout`.
  ///
  /// Parameters of Stable Diffusion 1.x get the names and shapes of the layout. In single files
  /// everything else keeps its name; in a diffusers folder only the token positions have a place
  /// beside the parameters.
  public init(_ identity: ModelIdentity, layout: OutputLayout) {
    let naming: Naming = layout == .diffusers ? .diffusers : .ldm
    var selection: [(index: Int, info: TensorInfo)] = []
    var dropped: [Int] = []
    for (index, tensor) in identity.tensors.enumerated() {
      var target: TensorInfo?
      switch identity.uses[index] {
      case .parameter(let position):
        let parameter = identity.schema.parameters[position]
        let name = naming == .ldm ? parameter.name(in: .ldm) : parameter.folderName
        // A misshapen tensor keeps its shape: what is wrong with a model is not hidden.
        target = (tensor.reshaped(parameter.shape(in: naming)) ?? tensor)
          .renamed(TensorName(name))
      case .extra(.positionIDs):
        target = tensor.renamed(
          naming == .ldm ? KnownExtra.positionIDsName : Self.positionIDsInFolder)
      case .average, .extra, .repeated, .unexpected, .unmapped:
        target = naming == .ldm ? tensor : nil
      }
      if let target { selection.append((index, target)) } else { dropped.append(index) }
    }
    self.selection = selection
    self.dropped = dropped
  }

  private static let positionIDsInFolder: TensorName =
    "text_encoder/text_model.embeddings.position_ids"
}
