import JSON
public import Tensors

/// A recipe that was read out of a merged file, to be repeated.
///
///     let imported = try ImportedRecipe(metadata: file.metadata)
///     imported.recipe.models.map(\.sha256)   // what to look for
///     imported.notes                         // what the tool did not record
///
/// Recipes of this tool, of AUTOMATIC1111's web UI, SuperMerger and Chattiori's merger are
/// understood, each in the dialect and with the arithmetic of its tool.
public struct ImportedRecipe: Sendable {
  /// The recipe; models have hashes, and names made of their files' names.
  public var recipe: Recipe
  /// The tool that wrote it.
  public var tool: String
  /// What may make the repeated merge differ from the original.
  public var notes: [Fault] = []

  /// Reads the recipe of a file.
  ///
  /// - Parameter metadata: the entries in the file's header.
  /// - Throws: ``Tensors/Rule/recipeAbsent`` if there is none;
  ///   ``Tensors/Rule/recipeUnsupported`` if it cannot be repeated; other faults of
  ///   ``Tensors/Rule/recipeRules`` and of JSON for a damaged one.
  public init(metadata: [String: String]) throws(Fault) {
    if let text = metadata["sdtool.recipe"] {
      self.init(
        try Recipe(json: try Self.json(text, "sdtool.recipe")), tool: "sdtool", notes: [])
      return
    }
    guard let text = metadata["sd_merge_recipe"] else {
      let hint =
        metadata["mecha_recipe"] != nil
        ? "it has one of sd-mecha, which records paths instead of hashes" : nil
      throw Fault(.recipeAbsent, "has no merge recipe in its metadata", hint: hint)
    }
    try self.init(
      record: try Self.json(text, "sd_merge_recipe"),
      ancestry: metadata["sd_merge_models"].flatMap { try? JSONValue(parsing: $0) })
  }

  /// Reads another tool's record; `ancestry` tells what the files of its models were called.
  init(record: JSONValue, ancestry: JSONValue?) throws(Fault) {
    let record = ForeignRecord(record, ancestry: ancestry)
    switch record.type {
    case "webui": self = try record.webUI()
    case "sd-webui-supermerger": self = try record.superMerger()
    case "merge-models-chattiori": self = try record.chattiori()
    default:
      throw Fault(
        .recipeUnsupported, "has a recipe of an unknown tool",
        expected: "webui, sd-webui-supermerger or merge-models-chattiori",
        found: "'\(shortened(record.type))'")
    }
    recipe = try recipe.checked()
  }

  init(_ recipe: Recipe, tool: String, notes: [Fault]) {
    self.recipe = recipe
    self.tool = tool
    self.notes = notes
  }

  private static func json(_ text: String, _ key: String) throws(Fault) -> JSONValue {
    do throws(Fault) {
      return try JSONValue(parsing: text)
    } catch {
      var fault = error
      fault.message = "metadata '\(key)' " + fault.message
      throw fault
    }
  }
}

/// Another tool's record of a merge, field by field.
struct ForeignRecord {
  private let fields: JSONValue
  private let ancestry: JSONValue?

  init(_ fields: JSONValue, ancestry: JSONValue?) {
    self.fields = fields
    self.ancestry = ancestry
  }

  /// Which tool wrote it.
  var type: String { fields["type"]?.string ?? "" }

  /// The names of all fields.
  var keys: [String] { fields.object?.map(\.key) ?? [] }

  /// A field that is not null.
  subscript(key: String) -> JSONValue? {
    fields[key].flatMap { $0.isNull ? nil : $0 }
  }

  /// A text field.
  func text(_ key: String) throws(Fault) -> String {
    if let text = self[key]?.string { return text }
    throw Self.damaged(key, "text", self[key])
  }

  /// A number, which some tools write as text.
  func number(_ key: String) throws(Fault) -> Double {
    if let number = self[key]?.double { return number }
    if let text = self[key]?.string { return try readWeight(trimmed(text), at: "'\(key)'") }
    throw Self.damaged(key, "a number", self[key])
  }

  /// What `key` should have been.
  static func damaged(_ key: String, _ expected: String, _ found: JSONValue?) -> Fault {
    Fault(
      .recipeUnsupported, "has no usable '\(key)' in its recipe", expected: expected,
      found: found?.kind ?? "nothing")
  }

  /// The models whose hashes are under `keys`, with names made of their files'.
  ///
  /// The same hash twice is one model.
  ///
  /// - Returns: the models, and for each key the name of its model.
  func models(_ keys: [String]) throws(Fault) -> (models: [Recipe.Model], names: [String]) {
    var models: [Recipe.Model] = []
    var names: [String] = []
    for key in keys {
      let hash = try text(key).lowercased()
      guard Recipe.isSHA256(hash) else {
        throw Fault(
          .recipeUnsupported, "has no SHA-256 in '\(key)' of its recipe",
          expected: "64 hexadecimal digits", found: "'\(shortened(hash))'")
      }
      if let known = models.first(where: { $0.sha256 == hash }) {
        names.append(known.name)
        continue
      }
      let name = Self.name(ancestry?[hash]?["name"]?.string, taken: models.map(\.name), key: key)
      models.append(Recipe.Model(name, sha256: hash))
      names.append(name)
    }
    return (models, names)
  }

  /// A recipe's name for a file: its name without folder and extension, `key` if that is nothing.
  private static func name(_ file: String?, taken: [String], key: String) -> String {
    let last = file?.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last ?? ""
    let stem = last.lastIndex(of: ".").map { last[..<$0] } ?? last
    let letters = stem.prefix(80).map { Recipe.isName(String($0)) ? String($0) : "_" }.joined()
    let name = letters.contains(where: { $0 != "_" }) ? letters : key
    guard taken.contains(name) || name == "merge" else { return name }
    return name + "-\(taken.count + 1)"
  }

  /// A note about what the tool did not record.
  static func note(_ message: String, hint: String? = nil) -> Fault {
    Fault(.recipeIncomplete, message, hint: hint)
  }

  // MARK: AUTOMATIC1111

  /// The web UI's merge.
  fileprivate func webUI() throws(Fault) -> ImportedRecipe {
    let interpolation = try text("interp_method")
    let method: String?
    var keys = ["primary_model_hash"]
    switch interpolation {
    case "No interpolation": method = nil
    case "Weighted sum":
      method = "weighted-sum"
      keys.append("secondary_model_hash")
    case "Add difference":
      method = "add-difference"
      keys += ["secondary_model_hash", "tertiary_model_hash"]
    default:
      throw Fault(
        .recipeUnsupported, "was merged by a method that the web UI does not have",
        expected: "Weighted sum, Add difference or No interpolation",
        found: "'\(shortened(interpolation))'")
    }
    let (models, names) = try models(keys)
    var recipe = Recipe(models: models, steps: [])
    if let method {
      var step = Recipe.Step("merge", method: method, inputs: names)
      step.alpha = WeightSpecification(alpha: try number("multiplier"))
      step.arithmetic = .webui
      recipe = Recipe(models: models, steps: [step])
    }
    recipe.policies.unknown = .merge
    if self["save_as_half"]?.bool == true { recipe.output.dtype = .f16 }
    if let discard = self["discard_weights"]?.string, !discard.isEmpty {
      recipe.output.discard = discard
    }
    var notes: [Fault] = []
    if let vae = self["bake_in_vae"]?.string, vae != "None", !vae.isEmpty {
      notes.append(Self.vaeNote(vae))
    }
    return ImportedRecipe(recipe, tool: "AUTOMATIC1111", notes: notes)
  }

  /// A VAE was baked in, but not recorded by hash.
  static func vaeNote(_ name: String) -> Fault {
    note(
      "was given the VAE '\(shortened(name))', whose hash is not recorded",
      hint: "bake it in again with --vae")
  }
}
