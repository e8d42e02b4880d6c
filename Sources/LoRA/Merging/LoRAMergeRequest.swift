public import StableDiffusion
public import Tensors

/// A LoRA that takes part in a merge.
public struct LoRAUse: Sendable {
  /// The LoRA.
  public let file: LoRAFile
  /// How strongly it counts.
  public let strength: LoRAStrength

  /// A LoRA with its strength.
  public init(_ file: LoRAFile, _ strength: LoRAStrength = LoRAStrength()) {
    self.file = file
    self.strength = strength
  }
}

/// What is to be merged into a model, and how.
public struct LoRAMergeRequest: Sendable {
  /// What is done about results that are too large for their type.
  public enum Overflow: String, CaseIterable, Sendable {
    /// The merge fails.
    case error
    /// The largest number takes their place, and they are counted.
    case clamp
  }

  /// The LoRAs; all changes of a weight are added before anything is rounded.
  public var loras: [LoRAUse]
  /// The direction of DoRA magnitudes whose shape fits both.
  public var magnitudeAxis: Magnitude.Axis?
  /// Behaviours of other programs.
  public var compatibility: Set<LoRACompatibility> = []
  /// The type of the weights that are changed, by component; `nil` keeps each tensor's own.
  public var types: [Component: DType] = [:]
  /// What is done about results that are too large.
  public var overflow = Overflow.error
  /// Whether tensors of a LoRA that fit nothing are left out.
  public var allowsUnmatched = false

  /// A merge of `loras`.
  public init(_ loras: [LoRAUse]) { self.loras = loras }
}
