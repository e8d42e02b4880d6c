public import Tensors

extension Rule {
  /// There is no method of that name.
  public static let mergeMethod = Rule(
    "MM001", .fatal, "unknown merge method",
    "The merge method does not exist. `sdtool merge --list-methods` prints all of them with their "
      + "formulas.")
  /// A method was given too few or too many models.
  public static let mergeInputCount = Rule(
    "MM002", .fatal, "wrong number of models",
    "Each merge method computes its result from a certain number of models, named by letters in "
      + "its formula. Give them in the order of the letters; the base of a difference is one of "
      + "them.")
  /// A parameter is outside the range in which the method is defined.
  public static let mergeParameter = Rule(
    "MM003", .fatal, "parameter out of range",
    "A parameter is outside the range in which the method's formula is defined, or the number of "
      + "weights does not fit the number of models.")

  /// All rules about merge methods.
  public static let mergeMethodRules: [Rule] = [.mergeMethod, .mergeInputCount, .mergeParameter]
}
