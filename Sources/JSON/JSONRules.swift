public import Tensors

extension Rule {
  /// A text is not JSON.
  public static let jsonSyntax = Rule(
    "JS001", .fatal, "not valid JSON",
    "The file must hold one JSON value as RFC 8259 defines it, in UTF-8, and nothing after it. "
      + "Comments, trailing commas, NaN and single quotes are not JSON. The message says where "
      + "the text stops being valid; a file that ends early was often not downloaded completely.")
  /// An object names the same member twice.
  public static let jsonDuplicateKey = Rule(
    "JS002", .fatal, "duplicate key in JSON",
    "An object has two members of the same name. Programs disagree about which of them counts, so "
      + "the file means different things to different readers. Remove one of them.")
  /// Arrays and objects are nested too deeply.
  public static let jsonTooDeep = Rule(
    "JS003", .fatal, "JSON nested too deeply",
    "Arrays and objects lie in each other more than 128 deep. No configuration or index of a model "
      + "needs more than five levels; such a text is made to exhaust the memory of its readers.")
  /// A member's name holds a NUL character.
  public static let jsonKeyWithNUL = Rule(
    "JS004", .fatal, "NUL in a JSON key",
    "The name of a member holds the character U+0000. Many programs end a text there, and would "
      + "take the name for a shorter one.")
  /// A number is too large for a 64-bit floating-point number.
  public static let jsonNumber = Rule(
    "JS005", .fatal, "JSON number out of range",
    "A number is larger than the largest 64-bit floating-point number, about 1.8e308. Readers "
      + "would take it for infinity, or for something else.")
  /// A text is larger than any that is expected here.
  public static let jsonTooLarge = Rule(
    "JS006", .fatal, "JSON too large",
    "The text, or the number of values in it, is larger than any model's configuration or index. "
      + "It is not read, so that a small download cannot fill the memory.")

  /// All rules about JSON texts.
  public static let jsonRules: [Rule] = [
    .jsonSyntax, .jsonDuplicateKey, .jsonTooDeep, .jsonKeyWithNUL, .jsonNumber, .jsonTooLarge,
  ]
}
