/// What to do where the models of a merge do not fit together.
///
/// The raw values are the words of the command line and of recipes.
public struct MergePolicies: Hashable, Sendable {
  /// A first convolution with 9 or 8 input channels (inpainting, instruct-pix2pix) meets one of 4.
  public enum ConvIn: String, CaseIterable, Sendable {
    /// The four common channels are merged, the others kept.
    case merge4
    /// The larger tensor is kept as it is.
    case keep
    /// The merge is refused.
    case error
  }

  /// A tensor belongs to no part of the network.
  public enum Unknown: String, CaseIterable, Sendable {
    /// It is copied from the first model that has it.
    case keep
    /// It is left out.
    case drop
    /// It is merged like the others.
    case merge
    /// The merge is refused.
    case error
  }

  /// A tensor is in some of the models only.
  public enum Missing: String, CaseIterable, Sendable {
    /// It is copied from the first model that has it.
    case keep
    /// The merge is refused.
    case error
  }

  /// A value is too large for the output's type.
  public enum Overflow: String, CaseIterable, Sendable {
    /// The merge fails.
    case error
    /// The largest finite value is stored.
    case clamp
    /// The tensor is stored in 32 bits.
    case keepF32 = "keep-f32"
  }

  /// See ``ConvIn``.
  public var convIn = ConvIn.merge4
  /// See ``Unknown``.
  public var unknown = Unknown.keep
  /// See ``Missing``.
  public var missing = Missing.keep
  /// See ``Overflow``.
  public var overflow = Overflow.error
  /// Whether infinities and NaN in a model are accepted.
  public var allowsNonFinite = false

  /// The defaults.
  public init() {}
}
