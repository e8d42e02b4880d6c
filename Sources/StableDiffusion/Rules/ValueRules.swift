public import Tensors

// What can be wrong with the values of a model's tensors, and with what is said about them.
extension Rule {
  /// Values that are not a number.
  public static let notANumber = Rule(
    "SD101", .error, "not a number",
    "The tensor holds NaN. A single one spreads through the whole picture, which comes out black. "
      + "Causes are training that diverged, overflow in half precision, and merging with a model "
      + "that had it already.")
  /// Infinite values.
  public static let infiniteValue = Rule(
    "SD102", .error, "infinite value",
    "The tensor holds an infinity: a value left the range of its precision, usually when a model "
      + "was converted to half precision. The picture comes out black or broken.")
  /// Nothing but zeros.
  public static let allZero = Rule(
    "SD103", .warning, "all zeros",
    "Every value of the tensor is zero, which training does not produce. It was never filled, or "
      + "something multiplied it by zero.")
  /// One value throughout.
  public static let constantTensor = Rule(
    "SD104", .warning, "all values equal",
    "Every value of the tensor is the same, where trained weights vary. It was left at its initial "
      + "value, or overwritten.")
  /// Values that half precision can hardly hold.
  public static let nearOverflow = Rule(
    "SD105", .warning, "close to the limit of half precision",
    "The tensor holds values close to 65,504, the largest that half precision can store. The next "
      + "merge or training step turns them into infinities.")
  /// Token positions that are not 0, 1, 2, ….
  public static let damagedPositions = Rule(
    "SD106", .error, "damaged token positions",
    "The position_ids of the text encoder must be 0 to 76 in order. Tools that merge them like "
      + "weights leave fractions, which are cut to the wrong position: some words of the prompt "
      + "are then read in the wrong place. Replace them with 0 to 76, or remove the tensor: "
      + "programs rebuild it.")
  /// Token positions that are not integers.
  public static let positionsType = Rule(
    "SD107", .warning, "token positions are not 64-bit integers",
    "The position_ids of the text encoder are stored with another type or shape than int64 [1, 77]. "
      + "Programs convert them, but a conversion of all tensors to half precision did this, and "
      + "merging such files damages them.")
  /// A hash in the metadata that is not the file's.
  public static let falseHash = Rule(
    "SD108", .warning, "hash in the metadata is wrong",
    "The metadata state a hash of the contents that the contents do not have. Programs that trust "
      + "it show the file under another model's identity. The file was edited after the hash was "
      + "made, or the hash was copied from elsewhere.")
  /// Two parameters backed by the same bytes.
  public static let sharedStorage = Rule(
    "SD109", .warning, "two parameters share their values",
    "Two parameters of the network are stored as one and the same bytes, although the network does "
      + "not tie them. What is written to one of them changes the other.")

  /// All rules about values.
  public static let valueRules: [Rule] = [
    .notANumber, .infiniteValue, .allZero, .constantTensor, .nearOverflow, .damagedPositions,
    .positionsType, .falseHash, .sharedStorage,
  ]
}
