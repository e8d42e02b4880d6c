import StableDiffusion
public import Tensors

/// How strongly a LoRA counts: in the U-Net, in the text encoder, in each block.
///
///     var strength = LoRAStrength(0.8)
///     strength.textEncoder = 0.5
///     strength.vector = try LoRAVector("OUTD")
public struct LoRAStrength: Hashable, Sendable {
  /// In the U-Net; may be negative.
  public var unet: Double
  /// In the text encoder; may be negative.
  public var textEncoder: Double
  /// Weights of blocks, which the strength is multiplied by.
  public var vector: LoRAVector?
  /// Weights of layers, in the place of those of their blocks.
  public var rules: [ElementalRule] = []

  /// The same strength everywhere.
  public init(_ strength: Double = 1) {
    unet = strength
    textEncoder = strength
  }

  /// The strength in one module.
  public func callAsFunction(_ target: LoRATarget) -> Double {
    let whole = target.component == .textEncoder ? textEncoder : unet
    if let rule = rules.last(where: { $0.covers(target) }) { return whole * rule.weight }
    return whole * (vector?[target.place] ?? 1)
  }
}

extension Rule {
  /// Strengths or block weights make no sense.
  public static let loraWeights = Rule(
    "LR020", .error, "strengths are malformed",
    "A strength, a vector of block weights, a preset or an elemental rule is not spelled as it "
      + "must be. Vectors have 12, 17, 20 or 26 values; 17 are those of Stable Diffusion 1.x.")
}
