public import Tensors

extension Rule {
  /// A recipe is not YAML.
  public static let recipeSyntax = Rule(
    "MR001", .fatal, "recipe is not valid YAML",
    "A recipe is one YAML document of maps, lists and plain values, without anchors and aliases. "
      + "The message names the line.")
  /// A recipe has a key or a value that is not known.
  public static let recipeValue = Rule(
    "MR002", .fatal, "bad value in a recipe",
    "A key of the recipe is unknown, missing, or has a value of the wrong kind. Unknown keys are "
      + "errors, so that a misspelt one is not silently ignored.")
  /// A recipe names a model or step that it does not define before.
  public static let recipeName = Rule(
    "MR003", .fatal, "unknown or repeated name in a recipe",
    "Steps take models of the recipe, or results of earlier steps. Names are defined once and "
      + "consist of letters, digits, '.', '-' and '_'.")
  /// A step's result is used nowhere.
  public static let recipeUnused = Rule(
    "MR004", .fatal, "step without effect",
    "The result of a step is neither an input of a later one nor the result of the recipe. It "
      + "would be left out; a misspelt name is the usual reason.")
  /// A recipe uses something that is not supported.
  public static let recipeUnsupported = Rule(
    "MR005", .fatal, "recipe cannot be repeated",
    "The recipe asks for something that this tool does not do, or the tool that wrote it did not "
      + "record enough to do it again.")
  /// A file's metadata holds no recipe.
  public static let recipeAbsent = Rule(
    "MR006", .fatal, "no recipe in the file",
    "The file's metadata holds no merge recipe that is known: neither sdtool.recipe nor "
      + "sd_merge_recipe.")
  /// A tool recorded less than it did.
  public static let recipeIncomplete = Rule(
    "MR007", .warning, "recipe may be incomplete",
    "The tool that wrote the recipe does not record everything that decides the result. The "
      + "repeated merge may differ from the original one.")

  /// All rules about recipes.
  public static let recipeRules: [Rule] = [
    .recipeSyntax, .recipeValue, .recipeName, .recipeUnused, .recipeUnsupported, .recipeAbsent,
    .recipeIncomplete,
  ]
}
