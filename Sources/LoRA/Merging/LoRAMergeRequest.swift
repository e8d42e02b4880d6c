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

  /// Where whoever asked can say more, for hints.
  public enum Wording: Sendable {
    /// Options of a command.
    case options
    /// Keys of a step of a recipe.
    case recipe

    var allowUnmatched: String {
      self == .options
        ? "--allow-unmatched goes on without them"
        : "'allow-unmatched: true' in the step goes on without them"
    }

    var axis: String {
      self == .options
        ? "give --dora-axis out or --dora-axis in"
        : "give the step 'dora-axis: out' or 'dora-axis: in'"
    }

    func overflow(isHalf: Bool) -> String {
      let clamp = self == .options ? "--overflow clamp" : "'overflow: clamp' among the policies"
      let type = self == .options ? "--dtype bf16 or f32" : "another dtype"
      return isHalf
        ? "give \(clamp), \(type), or a smaller strength" : "give \(clamp) or a smaller strength"
    }
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
  /// How hints say what can be asked for.
  public var wording = Wording.options

  /// A merge of `loras`.
  public init(_ loras: [LoRAUse]) { self.loras = loras }
}
