public import StableDiffusion
public import Tensors

/// What a merge does where the inputs leave a choice.
public struct MergePolicies: Hashable, Sendable {
  /// What becomes of a tensor that not all inputs have.
  public enum Missing: String, CaseIterable, Sendable {
    /// It is taken from the first input that has it.
    case keep
    /// The merge is refused.
    case error
  }

  /// What becomes of a tensor that belongs to nothing known.
  public enum Unknown: String, CaseIterable, Sendable {
    /// It is copied from the first input that has it.
    case keep
    /// It is left out, and so is what pruning would drop.
    case drop
    /// It is merged with the weight of `BASE` where all inputs have it.
    case merge
    /// The merge is refused.
    case error
  }

  /// What becomes of the first convolution when models take different numbers of channels.
  public enum FirstConvolution: String, CaseIterable, Sendable {
    /// The channels of the latent are merged; the others are those of the first model that has
    /// them.
    case merge4
    /// It is that of the first model with most channels.
    case keep
    /// The merge is refused.
    case error
  }

  /// What becomes of a result that is too large for its type.
  public enum Overflow: String, CaseIterable, Sendable {
    /// The merge is refused.
    case error
    /// The largest number is stored instead.
    case clamp
    /// The tensor is stored as F32.
    case keepF32 = "keep-f32"
  }

  /// Tensors that not all inputs have.
  public var missing = Missing.keep
  /// Tensors that belong to nothing known.
  public var unknown = Unknown.keep
  /// The first convolution.
  public var firstConvolution = FirstConvolution.merge4
  /// Results that are too large.
  public var overflow = Overflow.error
  /// Whether inputs may hold infinities and NaN.
  public var allowsNonFinite = false
  /// How tensors are stored.
  public var types = TypePolicy()

  /// The defaults.
  public init() {}
}

/// How the tensors of the output are stored.
public struct TypePolicy: Hashable, Sendable {
  /// The type of everything that ``components`` does not name; as in the first model if `nil`.
  public var all: DType?
  /// The types of single components; as in the first model if the value is `nil`.
  public var components: [Component: DType?] = [:]

  /// As in the first model.
  public init() {}

  /// Reads `f16`, `vae=f32`, `keep`, or several of these with commas between them.
  ///
  /// - Throws: ``Rule/mergeOptions``.
  public init(_ texts: [String]) throws(Fault) {
    for part in texts.flatMap({ $0.split(separator: ",") }) {
      guard let equals = part.firstIndex(of: "=") else {
        all = try Self.type(part)
        continue
      }
      guard let component = Component(name: part[..<equals]) else {
        throw Fault(
          .mergeOptions, "has a type for an unknown component", expected: "unet, vae or clip",
          found: "'\(shortened(part[..<equals]))'")
      }
      components[component] = .some(try Self.type(part[part.index(after: equals)...]))
    }
  }

  private static func type(_ name: some StringProtocol) throws(Fault) -> DType? {
    switch name.lowercased() {
    case "keep": nil
    case "f16", "fp16", "half": .f16
    case "bf16": .bf16
    case "f32", "fp32", "float": .f32
    default:
      throw Fault(
        .mergeOptions, "has an unknown type", expected: "keep, f16, bf16 or f32",
        found: "'\(shortened(name))'")
    }
  }

  /// The type for tensors of `component`; `nil` to keep the first model's.
  public func type(for component: Component) -> DType? { components[component] ?? all }
}
