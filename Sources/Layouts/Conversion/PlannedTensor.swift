public import StableDiffusion
public import Tensors

/// One tensor of the output, and where it comes from.
public struct PlannedTensor: Sendable {
  /// Where the values come from.
  public enum Origin: Hashable, Sendable {
    /// The model.
    case model
    /// The moving average in the model.
    case average
    /// The file whose VAE is put in.
    case vae
    /// Nowhere: they are known.
    case known
  }

  /// Where the values come from.
  public let origin: Origin
  /// The tensor that holds them.
  public let original: TensorInfo
  /// The tensor in the output.
  public internal(set) var info: TensorInfo
  /// The component it is a parameter of.
  public let component: Component?

  /// The position in the joined sources.
  let index: Int

  /// Whether it gets another name.
  public var isRenamed: Bool { original.name != info.name }
  /// Whether it gets another shape.
  public var isReshaped: Bool { original.shape != info.shape }
  /// Whether its values get another type.
  public var isCast: Bool { original.dtype != info.dtype }
}

/// One tensor that is not in the output.
public struct DroppedTensor: Sendable {
  /// Why.
  public enum Reason: Hashable, Sendable {
    /// It is a left-over of the kind that has this title.
    case pruned(String)
    /// The user named it.
    case discarded
    /// It belongs to no component that is written.
    case otherComponent
    /// The layout has no place for it.
    case noPlace
    /// The moving average takes its place, or it is a moving average that took another's.
    case average
    /// Another VAE takes its place.
    case vae
    /// It was wrong and is written anew.
    case fixed

    /// The reason in words.
    public var title: String {
      switch self {
      case .pruned(let title): "pruned: " + title
      case .discarded: "discarded by --discard"
      case .otherComponent: "not part of the component"
      case .noPlace: "no place in a diffusers folder"
      case .average: "replaced by its moving average"
      case .vae: "replaced by the other VAE"
      case .fixed: "wrong, written anew"
      }
    }
  }

  /// The tensor.
  public let info: TensorInfo
  /// Why it is not in the output.
  public let reason: Reason
}
