import CForward
public import StableDiffusion
public import Tensors

/// A text encoder that runs.
///
///     let encoder = try TextModel(model, runtime: runtime)
///     let context = try encoder([tokens])   // [1, 77, 768]
public final class TextModel: Sendable {
  /// The widths of the network.
  public var dimensions: Dimensions { model.dimensions }
  /// The weights, for a model that has some of them in common.
  public var weights: LoadedWeights { model.weights }

  /// The bytes that the weights take in memory.
  public var weightByteCount: Int { weights.byteCount }

  private let model: RunningModel<TextEncoder<Weight>>

  /// Loads the text encoder of a model.
  ///
  /// - Parameters:
  ///   - source: a model in any layout and type, also one that computes its values.
  ///   - runtime: what to run it on.
  ///   - isPlanned: whether only to plan: no value is read, and results are zeros.
  /// - Throws: ``Rule/notRunnable``, ``Rule/missingComponent``, ``Rule/missingWeight``,
  ///   ``Rule/unusableWeight``, ``Rule/libraryMissing``, ``Rule/outOfMemory``, and what reading
  ///   throws.
  public convenience init(
    _ source: any TensorSource, runtime: Runtime, isPlanned: Bool = false
  ) throws(Fault) {
    var none = LoadedWeights()
    try self.init(source, runtime: runtime, keeping: &none, isPlanned: isPlanned)
  }

  /// Loads the text encoder of a model, but for the weights that it has in common with `kept`.
  public init(
    _ source: any TensorSource, runtime: Runtime, keeping kept: inout LoadedWeights,
    isPlanned: Bool = false
  ) throws(Fault) {
    model = try RunningModel(
      source, .textEncoder, runtime: runtime, keeping: &kept, isWanted: { _ in !isPlanned },
      network: { TextEncoder($0, $1) })
  }

  /// Encodes prompts of 77 tokens each.
  ///
  /// - Parameters:
  ///   - tokens: `n` lists of at most 77 token ids, all of the same length; an id of
  ///     `vocabulary + i` stands for `vectors[i]`.
  ///   - clipSkip: 1 for the last layer, 2 for the one before it, and so on; the last LayerNorm is
  ///     applied in any case.
  ///   - vectors: vectors of their own, as textual inversion learns them, `width` values each.
  /// - Returns: `[n, 77, width]`.
  /// - Throws: ``Rule/badInput``, ``Rule/nonFiniteActivation``, ``Rule/outOfMemory``.
  public func callAsFunction(
    _ tokens: [[Int]], clipSkip: Int = 1, vectors: [[Float]] = []
  ) throws(Fault) -> FloatArray {
    var observation = Observation()
    return try self(tokens, clipSkip: clipSkip, vectors: vectors, observing: &observation)
  }

  /// Encodes prompts, and observes how.
  public func callAsFunction(
    _ tokens: [[Int]], clipSkip: Int = 1, vectors: [[Float]] = [],
    observing observation: inout Observation
  ) throws(Fault) -> FloatArray {
    guard (1...Dimensions.textLayers).contains(clipSkip) else {
      throw Fault(
        .badInput, "there is no such layer to skip to", expected: "1 to \(Dimensions.textLayers)",
        found: "\(clipSkip)")
    }
    let embedded = try embed(tokens, vectors)
    return try model.run(&observation) { pass throws(Fault) in
      try model.network(pass.rows(embedded), clipSkip: clipSkip).values()
    }
  }

  /// The sums of the vectors of tokens and positions.
  private func embed(_ tokens: [[Int]], _ vectors: [[Float]]) throws(Fault) -> FloatArray {
    let length = tokens.first?.count ?? 0, width = dimensions[.text]
    guard length > 0, length <= dimensions[.positions], tokens.allSatisfy({ $0.count == length })
    else {
      throw Fault(
        .badInput, "prompts must have the same number of tokens",
        expected: "1 to \(dimensions[.positions])",
        found: tokens.map { "\($0.count)" }.joined(separator: ", "))
    }
    guard vectors.allSatisfy({ $0.count == width }) else {
      throw Fault(.badInput, "a learned vector has the wrong width", expected: "\(width)")
    }
    var values: [Float] = []
    values.reserveCapacity(tokens.count * length * width)
    for prompt in tokens {
      for (position, token) in prompt.enumerated() {
        let place = model.network.positions.row(position, width: width)
        let own = token - dimensions[.vocabulary]
        guard token >= 0, own < vectors.count else {
          throw Fault(
            .badInput, "there is no such token",
            expected: "0 to \(dimensions[.vocabulary] + vectors.count - 1)", found: "\(token)")
        }
        let meaning =
          own >= 0 ? vectors[own] : model.network.tokens.row(token, width: width)
        for index in 0..<width { values.append(meaning[index] + place[index]) }
      }
    }
    return FloatArray([tokens.count, length, width], values)
  }
}

extension Embedding where Leaf == Weight {
  /// One vector of the table; zeros where a pass is only planned.
  fileprivate func row(_ index: Int, width: Int) -> [Float] {
    guard let base = unsafe weight.base else { return [Float](repeating: 0, count: width) }
    return (0..<width).map { unsafe cf_value(base, weight.type, index * width + $0) }
  }
}
