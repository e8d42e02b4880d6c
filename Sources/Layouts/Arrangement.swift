public import StableDiffusion
public import Tensors

/// How the tensors of a model are called and shaped in another layout.
///
/// Parameters of Stable Diffusion 1.x get the names and shapes of the layout. In single files
/// everything else keeps its name; in a diffusers folder only the token positions have a place
/// beside the parameters.
public struct Arrangement: Sendable {
  /// The layout.
  public let layout: OutputLayout
  /// The only component, whose names then have no prefix and whose files lie in no folder; `nil`
  /// for a model.
  public let alone: Component?
  /// How each tensor is seen in the output; `nil` where it has no place in the layout.
  public let tensors: [TensorInfo?]

  /// Arranges the tensors that `identity` judged for `layout`.
  ///
  /// Where `alone` is `nil`, a component that is by itself in the model stays by itself.
  public init(_ identity: ModelIdentity, layout: OutputLayout, alone: Component? = nil) {
    self.layout = layout
    if let alone {
      self.alone = alone
    } else if case .component(let component, _) = identity.layout {
      self.alone = component
    } else {
      self.alone = nil
    }
    let names = Names(layout: layout, alone: self.alone)
    // Of several spellings of the token positions one takes their place.
    let positions =
      identity.tensors.firstIndex { $0.name == KnownExtra.positionIDsName } ?? identity.positionIDs
    tensors = identity.tensors.indices.map { index in
      let tensor = identity.tensors[index]
      switch identity.uses[index] {
      case .parameter(let position):
        let parameter = identity.schema.parameters[position]
        // A misshapen tensor keeps its shape: what is wrong with a model is not hidden.
        return (tensor.reshaped(parameter.shape(in: names.naming)) ?? tensor)
          .renamed(names.name(of: parameter))
      case .extra(.positionIDs) where index == positions: return tensor.renamed(names.positionIDs)
      case .average, .extra, .repeated, .unexpected, .unmapped:
        return names.naming == .ldm ? tensor : nil
      }
    }
  }

  /// For each tensor that is written its position in the model, and how it is seen.
  public var selection: [(index: Int, info: TensorInfo)] {
    tensors.indices.compactMap { index in tensors[index].map { (index, $0) } }
  }

  /// The positions of the tensors that have no place in the layout.
  public var dropped: [Int] { tensors.indices.filter { tensors[$0] == nil } }
}

extension Arrangement {
  /// The names of one layout.
  struct Names {
    let naming: Naming
    private let alone: Component?

    init(layout: OutputLayout, alone: Component?) {
      naming = layout == .diffusers ? .diffusers : .ldm
      self.alone = alone
    }

    /// The name of a parameter.
    func name(of parameter: Parameter) -> TensorName {
      let name: String
      switch naming {
      case .ldm:
        let whole = parameter.name(in: .ldm)
        name =
          parameter.component == alone
          ? String(whole.dropFirst(parameter.component.ldmPrefix.count)) : whole
      case .diffusers:
        name = parameter.component == alone ? parameter.name(in: .diffusers) : parameter.folderName
      }
      return TensorName(name)
    }

    /// The name of the token positions.
    var positionIDs: TensorName {
      let component = Component.textEncoder
      let whole = KnownExtra.positionIDsName.string
      let name = String(whole.dropFirst(component.ldmPrefix.count))
      if alone == component { return TensorName(name) }
      return TensorName(naming == .ldm ? whole : component.folder + "/" + name)
    }
  }
}
