import JSON
public import Tensors

/// The recipes of the models that a merged file was made from, as far as its metadata hold them.
///
///     let ancestry = RecipeAncestry(metadata: file.metadata)
///     let recipe = try imported.expanded(by: ancestry) { found[$0] != nil }
///
/// Ours are under `sdtool.parents`, a map from SHA-256 to recipe; those of other tools under
/// `sd_merge_models`, as AUTOMATIC1111 writes it. Both list all ancestors, not only parents.
public struct RecipeAncestry: Sendable {
  /// The key in the metadata under which our files list the recipes of their inputs.
  static let key = "sdtool.parents"

  private let own: JSONValue?
  private let foreign: JSONValue?

  /// What the metadata of a file say; what is no JSON says nothing.
  public init(metadata: [String: String]) {
    own = metadata[Self.key].flatMap { try? JSONValue(parsing: $0) }
    foreign = metadata["sd_merge_models"].flatMap { try? JSONValue(parsing: $0) }
  }

  /// The recipe of the model with this SHA-256; `nil` if it is not known.
  ///
  /// - Throws: what ``ImportedRecipe/init(metadata:)`` throws for a damaged one.
  func recipe(of hash: String) throws(Fault) -> ImportedRecipe? {
    if let recipe = own?[hash] {
      return ImportedRecipe(try Recipe(json: recipe), tool: "sdtool", notes: [])
    }
    guard let record = foreign?[hash]?["sd_merge_recipe"], record.object != nil else { return nil }
    return try ImportedRecipe(record: record, ancestry: foreign)
  }
}

extension ImportedRecipe {
  /// The recipe in which models that are gone are merged anew from what they were made of.
  ///
  /// Each of them becomes a step that rounds as the file did, so that the result is the same and
  /// no file between is written. Their own models may be gone too, as long as the ancestry goes
  /// back to some that are there.
  ///
  /// - Parameters:
  ///   - ancestry: the recipes that are known.
  ///   - isFound: whether there is a model of this SHA-256.
  /// - Returns: the recipe, all of whose models are found, with a note for each that is merged anew.
  /// - Throws: ``Tensors/Rule/recipeUnsupported`` with the first model that is not found and has
  ///   no recipe, or whose recipe needs itself; what is wrong with a recipe.
  public func expanded(
    by ancestry: RecipeAncestry, isFound: (String) -> Bool
  ) throws(Fault) -> ImportedRecipe {
    var expansion = RecipeExpansion(self)
    var position = 0
    while position < expansion.models.count {
      let model = expansion.models[position]
      position += 1
      guard let hash = model.sha256, !isFound(hash) else { continue }
      guard let parent = try Self.parent(hash, model, ancestry) else {
        throw Fault(
          .recipeUnsupported, "was made from a model that is not there",
          expected: "\(model.path ?? model.name) with SHA-256 \(hash)",
          hint: "name the folder that holds it with --models")
      }
      try expansion.replace(model, by: parent)
    }
    return try expansion.result()
  }

  private static func parent(
    _ hash: String, _ model: Recipe.Model, _ ancestry: RecipeAncestry
  ) throws(Fault) -> ImportedRecipe? {
    do throws(Fault) {
      return try ancestry.recipe(of: hash)
    } catch {
      var fault = error
      fault.message = "the recipe of its input '\(shortened(model.name))' " + fault.message
      throw fault
    }
  }
}

/// A recipe whose models are being replaced by their own recipes.
private struct RecipeExpansion {
  /// A model that is merged anew.
  private struct Replacement {
    let model: Recipe.Model
    /// Its steps, under the names that they have in the whole; the last one is called like it.
    var steps: [Recipe.Step]
    /// The models that they take.
    var needs: Set<String>
  }

  /// All models, those that were replaced among them.
  private(set) var models: [Recipe.Model]
  private var imported: ImportedRecipe
  private var replacements: [Replacement] = []
  private var taken: Set<String>
  /// The names of models by their hashes.
  private var names: [String: String] = [:]
  private var stepCount: Int

  init(_ imported: ImportedRecipe) {
    self.imported = imported
    models = imported.recipe.models
    taken = Set(models.map(\.name) + imported.recipe.steps.map(\.name))
    stepCount = imported.recipe.steps.count
    for model in models { names[model.sha256 ?? ""] = model.name }
  }

  /// Puts steps in the place of a model.
  mutating func replace(_ model: Recipe.Model, by parent: ImportedRecipe) throws(Fault) {
    stepCount += max(1, parent.recipe.steps.count)
    guard models.count <= Recipe.maximumCount, stepCount <= Recipe.maximumCount else {
      throw Fault(
        .recipeUnsupported, "has too many ancestors", expected: "at most \(Recipe.maximumCount)")
    }
    var local: [String: String] = [:]
    for own in parent.recipe.models {
      if let hash = own.sha256, let known = names[hash] {
        local[own.name] = known
      } else {
        let name = fresh(own.name)
        local[own.name] = name
        names[own.sha256 ?? ""] = name
        models.append(Recipe.Model(name, path: own.path, sha256: own.sha256))
      }
    }
    var steps = parent.recipe.steps
    if !steps.contains(where: { $0.name == parent.recipe.result }) {
      steps.append(Recipe.Step(model.name, method: "copy", inputs: [parent.recipe.result]))
    }
    for index in steps.indices {
      let isLast = index == steps.indices.last
      let name = isLast ? model.name : fresh(model.name + "-" + steps[index].name)
      steps[index].inputs = steps[index].inputs.map { local[$0] ?? $0 }
      if isLast { steps[index].output = parent.recipe.output }
      if let vae = steps[index].output?.vae { steps[index].output?.vae = local[vae] ?? vae }
      let policies = steps[index].policies ?? parent.recipe.policies
      steps[index].policies = policies == imported.recipe.policies ? nil : policies
      local[steps[index].name] = name
      steps[index].name = name
    }
    replacements.append(
      Replacement(
        model: model, steps: steps,
        needs: Set(steps.flatMap { $0.inputs + [$0.output?.vae].compactMap { $0 } })))
    imported.notes += parent.notes
    imported.notes.append(
      Fault(
        .recipeIncomplete,
        "is made of '\(model.path ?? model.name)', which is not there and is "
          + "merged anew by its own recipe", severity: .note))
  }

  /// The whole: every step after those that it needs.
  mutating func result() throws(Fault) -> ImportedRecipe {
    guard !replacements.isEmpty else { return imported }
    var pending = Set(replacements.map(\.model.name))
    models.removeAll { pending.contains($0.name) }
    var steps: [Recipe.Step] = []
    while !pending.isEmpty {
      let ready = replacements.filter {
        pending.contains($0.model.name) && $0.needs.isDisjoint(with: pending)
      }
      guard !ready.isEmpty else {
        throw Fault(.recipeUnsupported, "has an ancestor that was made of itself")
      }
      for replacement in ready {
        steps += replacement.steps
        pending.remove(replacement.model.name)
      }
    }
    imported.recipe.models = models
    imported.recipe.steps = steps + imported.recipe.steps
    imported.recipe = try imported.recipe.checked()
    return imported
  }

  /// A name like `name` that nothing has yet.
  private mutating func fresh(_ name: String) -> String {
    let base = String(name.prefix(80))
    var candidate = base
    var number = 2
    while !taken.insert(candidate).inserted {
      candidate = "\(base)-\(number)"
      number += 1
    }
    return candidate
  }
}
