public import StableDiffusion
public import Tensors

/// How the tensors of the output are stored.
public struct TypePolicy: Hashable, Sendable {
  /// The type of everything that ``components`` does not name; as in the first model if `nil`.
  public var all: DType?
  /// The types of single components; as in the first model if the value is `nil`.
  public var components: [Component: DType?] = [:]

  /// Whether copied tensors keep their type whatever is said.
  var isForMerged = false

  /// As in the first model.
  public init() {}

  /// What a later step computes with: nothing is rounded on the way.
  static var intermediate: TypePolicy {
    var policy = TypePolicy()
    policy.all = .f32
    policy.isForMerged = true
    return policy
  }

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
