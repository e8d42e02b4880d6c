public import Tensors

extension Rule {
  /// A list of block weights has another length than any that is known.
  public static let weightCount = Rule(
    "MW001", .fatal, "wrong number of block weights",
    "A list of block weights has 25 numbers (IN00 to IN11, M00, OUT00 to OUT11) or 26 (BASE "
      + "first). A common cause is a comma that is missing, or one that stands for a decimal point."
  )
  /// Something that should be a weight is not a number.
  public static let weightSyntax = Rule(
    "MW002", .fatal, "not a weight",
    "A weight is a decimal number such as 0.25, -1 or 1e-3. Values below 0 and above 1 are "
      + "allowed: they extrapolate.")
  /// No preset has the given name.
  public static let unknownPreset = Rule(
    "MW003", .fatal, "unknown preset",
    "No preset of block weights has this name, neither among the classic ones nor in the files "
      + "given. A merge is never started with a guess.")
  /// A line of a preset file is not a preset.
  public static let presetLine = Rule(
    "MW004", .error, "bad line in a preset file",
    "A line of a preset file could not be read. Other tools skip such lines silently, and the "
      + "preset is then missing; here each is reported with its number.")
  /// No place has the given name.
  public static let unknownPlace = Rule(
    "MW005", .fatal, "unknown place",
    "The places of the network are CLIP, VAE, TIME, IN00 to IN11, M00, OUT00 to OUT11, OUT and "
      + "LABEL; BASE stands for CLIP and VAE together.")
  /// A setting of single places cannot be understood.
  public static let placeSetting = Rule(
    "MW006", .fatal, "unreadable block setting",
    "A setting names a place or a range of places and their weight: CLIP=0.2, IN03..IN05=0.5, or "
      + "VAE=keep to take the tensors from the first model unchanged.")
  /// An elemental rule cannot be understood.
  public static let elementalRule = Rule(
    "MW007", .fatal, "unreadable elemental rule",
    "An elemental rule is BLOCKS:ELEMENTS:RATIO, for example OUT03-OUT05:attn2 attn1.to_out:0.5. "
      + "It has exactly two colons; blocks and elements are separated by spaces, may begin with "
      + "NOT, and mean all when left empty. Rules are separated by commas or line breaks.")
  /// No dialect has the given name.
  public static let unknownDialect = Rule(
    "MW008", .fatal, "unknown dialect",
    "A dialect says which of the weights the time embedding, the last layers, the VAE and the "
      + "text encoder take. Tools differ, so that the same numbers give different models.")
  /// A list of weights asks for random numbers.
  public static let randomWeight = Rule(
    "MW009", .fatal, "random weight",
    "SuperMerger draws a random weight for R (0 to 1), U (-0.5 to 1.5) and X. The result could not "
      + "be repeated, so these letters are refused: write the number.")
  /// Two settings contradict each other, or one has nothing to apply to.
  public static let contradictingWeights = Rule(
    "MW010", .fatal, "contradicting weights",
    "Two of the given settings decide the same weight in different ways. Leave one of them out.")

  /// All rules about block weights.
  public static let weightRules: [Rule] = [
    .weightCount, .weightSyntax, .unknownPreset, .presetLine, .unknownPlace, .placeSetting,
    .elementalRule, .unknownDialect, .randomWeight, .contradictingWeights,
  ]
}
