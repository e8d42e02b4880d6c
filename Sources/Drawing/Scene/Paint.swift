/// What something is drawn with: a meaning, which a theme gives a colour.
public enum Paint: Hashable, Sendable {
  /// Nothing.
  case none
  /// The colour of a meaning.
  case token(Token)
  /// The colour of a step on a scale.
  case scale(Scale, Int)
  /// The ink that is legible on that step.
  case onScale(Scale, Int)

  /// The colour of a value between 0 and 1 on a scale; values beyond are taken for its ends.
  public static func scale(_ scale: Scale, at value: Double) -> Paint {
    .scale(scale, Scale.step(of: value))
  }
}

/// What a colour means.
public enum Token: String, CaseIterable, Sendable {
  /// The background.
  case canvas
  /// Behind parts that belong together.
  case panel
  /// Behind one part.
  case card
  /// Lines that separate.
  case hairline
  /// Lines that connect.
  case edge
  /// Text.
  case ink
  /// Text that may be overlooked.
  case muted
  /// A convolution.
  case convolution
  /// A residual block.
  case residual
  /// An attention.
  case attention
  /// A change of resolution.
  case resampling
  /// A matrix product or feed-forward layer.
  case linear
  /// A table.
  case embedding
  /// A normalisation that stands by itself.
  case normalization
  /// The mark of a GroupNorm.
  case groupNorm
  /// The mark of a LayerNorm.
  case layerNorm
  /// Nothing is known.
  case absent
  /// All is well.
  case good
  /// Something to know.
  case note
  /// Something to look at.
  case warning
  /// Something wrong.
  case bad
  /// What is counted or measured, where there is only one kind of it.
  case series
}

/// How numbers become colours.
public enum Scale: String, CaseIterable, Sendable {
  /// From nothing, near the background, to much.
  case amount
  /// From below 0 to above it, the middle neutral.
  case balance

  /// The number of steps: few enough to be told apart, enough to look continuous.
  public static let steps = 17

  /// The step of a value between 0 and 1; the middle for what is not a number.
  public static func step(of value: Double) -> Int {
    guard !value.isNaN else { return steps / 2 }
    return Int((min(max(value, 0), 1) * Double(steps - 1)).rounded())
  }
}
