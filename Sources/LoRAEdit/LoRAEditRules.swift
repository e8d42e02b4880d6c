public import Tensors

extension Rule {
  /// An adapter cannot be written as a product of two matrices without its base model.
  public static let loraNotLowRank = Rule(
    "LR050", .error, "no low-rank form",
    "Some adapters change a weight in a way that depends on the weight (DoRA, GLoRA, IA3, OFT, BOFT) "
      + "or that is no product of two narrow matrices. They cannot be added to other LoRAs, resized "
      + "or written as plain LoRAs. Merge such a LoRA into its model with sdtool lora-merge, then "
      + "make a plain LoRA from the two models with sdtool lora-extract.")
  /// Two files disagree about the shape of one weight.
  public static let loraShapesDiffer = Rule(
    "LR051", .error, "LoRAs for different shapes",
    "Two LoRAs change the same module, but as weights of different shapes: they were made for "
      + "different models. LoRAs of different ranks can be combined; of different widths not.")
  /// A rank, energy, error or size that cannot be.
  public static let loraRankTarget = Rule(
    "LR052", .error, "rank, energy, error or size makes no sense",
    "What decides how much of a LoRA is kept must be possible: a rank of at least 1, an energy above "
      + "0 and at most 1, an error from 0 to below 1, a size in which at least one rank fits.")
  /// A result does not fit its type.
  public static let loraEditOverflow = Rule(
    "LR053", .error, "values too large for the type",
    "A factor holds values beyond the range of half precision (65504), or a strength makes them too "
      + "large for any type. Write F32 or BF16 with --dtype, or use a lower strength.")
  /// A product would be too large to compute.
  public static let loraEditTooLarge = Rule(
    "LR054", .error, "module too large",
    "The factors of a module make a weight larger than any in a network like Stable Diffusion 1.5. "
      + "The file is damaged, or made to exhaust memory.")
  /// A spelling has no words for an adapter.
  public static let loraNoSpelling = Rule(
    "LR055", .error, "cannot be written in this spelling",
    "The spelling asked for has no names for this kind of adapter: diffusers reads products of two "
      + "matrices and magnitudes of outputs only. Use --to kohya, or merge the LoRA instead.")
  /// There is nothing to write.
  public static let loraNoDifference = Rule(
    "LR056", .error, "nothing to write",
    "No module is left: the two models are the same in everything that a LoRA can change, or all "
      + "changes are zero or cancel each other.")
  /// Two models cannot be compared weight by weight.
  public static let loraDifferentModels = Rule(
    "LR057", .error, "models that cannot be compared",
    "A LoRA can be extracted from two Stable Diffusion 1.5 models of the same widths. Weights that "
      + "only one model has, or that have different shapes in the two, are left out and listed.")
  /// Part of the difference is left out.
  public static let loraLeftOut = Rule(
    "LR058", .note, "changes left out",
    "Some weights differ between the models but are not in the LoRA: their shapes differ, or the "
      + "change is below the gate. The message says which and how large the change is.")

  /// All rules about making LoRA files.
  public static let loraEditRules: [Rule] = [
    .loraNotLowRank, .loraShapesDiffer, .loraRankTarget, .loraEditOverflow, .loraEditTooLarge,
    .loraNoSpelling, .loraNoDifference, .loraDifferentModels, .loraLeftOut,
  ]
}
