public import Tensors

extension Rule {
  /// The file has tensors of an adapter that are for nothing known.
  public static let loraUnmatched = Rule(
    "LR001", .error, "tensors of the LoRA fit nothing",
    "Some tensors of the LoRA belong to no module of Stable Diffusion 1.5, or to no known form of "
      + "adapter. Other programs skip them, so that part of the LoRA silently has no effect. Look "
      + "at the list; --allow-unmatched merges the rest.")
  /// The values are no numbers.
  public static let loraType = Rule(
    "LR002", .error, "values of the LoRA are no numbers",
    "The tensor is stored in a type that cannot be computed with.")
  /// The LoRA was made for another model.
  public static let loraOtherModel = Rule(
    "LR003", .error, "LoRA for another model",
    "The width of the context that the LoRA's attn2.to_k layers take tells which model it was made "
      + "for: 768 Stable Diffusion 1.x, 1024 Stable Diffusion 2.x, 2048 SDXL. A LoRA works only with "
      + "the kind of model that it was trained on.")
  /// A whole model was given as a LoRA.
  public static let loraIsModel = Rule(
    "LR004", .error, "a model, not a LoRA",
    "The file holds the weights of a model, not changes to them. To combine two models use "
      + "sdtool merge; to make a LoRA out of the difference of two, sdtool lora-extract.")
  /// Nothing in the file belongs to an adapter.
  public static let loraNothing = Rule(
    "LR005", .error, "not a LoRA",
    "No tensor of the file has the name of a LoRA's tensor in any known spelling.")
  /// The factors of one module do not belong together.
  public static let loraFactors = Rule(
    "LR006", .error, "factors do not fit each other",
    "The matrices of one module cannot be multiplied: the inner extents differ, or one is missing. "
      + "The file is damaged, or was put together from two.")
  /// The factors make a weight of another shape than the model's.
  public static let loraShape = Rule(
    "LR007", .error, "LoRA does not fit the weight",
    "The factors make a change of another shape than the weight that they are for. Most often the "
      + "LoRA was made for another kind of model.")
  /// Two groups of tensors change the same module.
  public static let loraDuplicate = Rule(
    "LR008", .error, "module changed twice",
    "Two groups of tensors in one file change the same module, under two spellings of its name or "
      + "with two algebras. Programs differ in which they use.")
  /// Names have lost what stands before them.
  public static let loraTruncated = Rule(
    "LR009", .error, "names lost their beginnings",
    "The names begin in the middle of a path, like 0.attn1.to_k.lora_down.weight, so that they "
      + "could belong to any block. A conversion cut them off; make the file again.")
  /// A value is infinite or no number.
  public static let loraNonFinite = Rule(
    "LR010", .error, "LoRA holds NaN or infinity",
    "A value of the LoRA is NaN or infinite. Merged, it would destroy the weight: pictures become "
      + "black. Training diverged, or the values were too large for half precision.")
  /// Nothing would change.
  public static let loraZero = Rule(
    "LR011", .warning, "LoRA changes nothing",
    "All changes are zero: the upper factors are zero, as training begins, or α is zero.")
  /// A kind of adapter that is no fixed change of weights.
  public static let loraUnmergeable = Rule(
    "LR012", .error, "cannot be merged",
    "The adapter is no fixed change of weights: a T-LoRA depends on the time step, and a Control-LoRA "
      + "is a control network of its own. It only works in programs that run it beside the model.")
  /// The direction in which a magnitude applies cannot be told.
  public static let loraAxis = Rule(
    "LR013", .error, "direction of the magnitudes unknown",
    "A weight-decomposed adapter (DoRA) scales the outputs or the inputs of a weight. Here the shape "
      + "of the magnitudes fits both: programs would do different things. --dora-axis decides.")
  /// A setting has a value that makes no sense.
  public static let loraSettings = Rule(
    "LR014", .error, "settings of the LoRA are malformed",
    "α, the rank, or the settings beside the tensors (lora_adapter_metadata, adapter_config.json) "
      + "are not numbers that make sense.")
  /// There is no α.
  public static let loraNoAlpha = Rule(
    "LR015", .note, "no α",
    "The file says nothing about α, so the product of the factors counts as it is. That is how "
      + "diffusers writes LoRAs whose α is the rank.")
  /// Some tensors have no effect in any program.
  public static let loraIgnored = Rule(
    "LR016", .note, "tensors without effect",
    "Some tensors of the LoRA have no effect, as the program that made it never used them either.")

  /// All rules about LoRA files.
  public static let loraRules: [Rule] = [
    .loraUnmatched, .loraType, .loraOtherModel, .loraIsModel, .loraNothing, .loraFactors,
    .loraShape, .loraDuplicate, .loraTruncated, .loraNonFinite, .loraZero, .loraUnmergeable,
    .loraAxis, .loraSettings, .loraNoAlpha, .loraIgnored, .loraWeights, .loraBase, .loraOverflow,
  ]
}
