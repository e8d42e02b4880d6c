/// What a LoRA file does to one module of the network.
public struct LoRAModule: Hashable, Sendable {
  /// The module.
  public let target: LoRATarget
  /// The name by which the file calls it, without the ends of its tensors' names.
  public let name: String
  /// The algebra, and its tensors.
  public let adapter: Adapter
  /// How strongly the product counts.
  public let scale: AdapterScale
  /// The magnitude of a weight-decomposed adapter (DoRA).
  public let magnitude: Magnitude?
  /// What is added to the bias.
  public let bias: Factor?
  /// What ``bias`` is multiplied by: α/r for the bias of an upper factor, 1 for a difference.
  public let biasScale: Double
  /// Single values that are added to the product, of a LyCORIS extraction.
  public let sparse: SparseDifference?
  /// The shape of the weight that the factors make, as original checkpoints have it; `nil` where
  /// the factors do not tell, as with rotations.
  public let weightShape: [Int]?
  /// The positions of all its tensors in the file, in the order of the file.
  public let tensors: [Int]

  /// Whether the outputs are multiplied, so that the bias is too.
  var scalesBias: Bool {
    if case .ratio(_, let onInput) = adapter { onInput == false } else { false }
  }
}

/// How strongly the product of an adapter counts.
public struct AdapterScale: Hashable, Sendable {
  /// Where ``value`` comes from.
  public enum Origin: String, Sendable {
    /// α divided by the rank, as the file has it.
    case alpha
    /// There is no α: 1.
    case missing
    /// The settings beside the tensors: a header text, or `adapter_config.json`.
    case settings
    /// A `scale` tensor, which overrides α.
    case scale
    /// The algebra knows no α.
    case none
  }

  /// The factor: α/r, or α/√r for rank-stabilised LoRAs whose settings say so.
  public let value: Double
  /// Where it comes from.
  public let origin: Origin
  /// α as the file has it.
  public let alpha: Double?
  /// r: the inner extent of the factors.
  public let rank: Int?

  /// A scale.
  public init(value: Double, origin: Origin, alpha: Double?, rank: Int?) {
    self.value = value
    self.origin = origin
    self.alpha = alpha
    self.rank = rank
  }
}

/// The lengths that a weight-decomposed adapter gives the rows or columns of a weight.
public struct Magnitude: Hashable, Sendable {
  /// What has a length of its own.
  public enum Axis: String, CaseIterable, Sendable {
    /// Each output: the norm is over everything else.
    case output = "out"
    /// Each input.
    case input = "in"
  }

  /// The lengths.
  public let factor: Factor
  /// What they belong to; `nil` where the shape leaves it open until the weight is known.
  public let axis: Axis?
  /// Whether the smallest step of a single is added to each norm, as LyCORIS does.
  public let hasEpsilon: Bool
}

/// A sparse difference: `values[i]` at row `indices[0, i]` and column `indices[1, i]` of a matrix.
public struct SparseDifference: Hashable, Sendable {
  /// `[2, count]`, integers.
  public let indices: Factor
  /// `[count]`.
  public let values: Factor
  /// `[2]`: the shape of the matrix.
  public let size: Factor
}
