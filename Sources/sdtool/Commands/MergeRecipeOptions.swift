import ArgumentParser
import Checkpoint
import Inspection
import LoRA
import Merge
import StableDiffusion
import Tensors

/// Where the recipe of a merge comes from and what is recorded of it.
struct MergeRecipeOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Merge what a recipe says.", valueName: "file"))
  var recipe: String?

  @Option(
    help: ArgumentHelp(
      "Repeat the merge that made this file, by the recipe in its metadata.", valueName: "file"))
  var replay: String?

  @Option(
    name: .customLong("models"),
    help: ArgumentHelp("Where --replay looks for the models, by hash.", valueName: "folder"))
  var folder: String?

  @Option(
    help: ArgumentHelp("Merge again and compare with this file, byte by byte.", valueName: "file"))
  var verify: String?

  @Flag(help: "Print the recipe with the hashes of its models.")
  var lock = false

  @Flag(help: "Do not record in the output how it was made.")
  var noRecipe = false

  /// The file that a recipe is taken from, if any.
  var source: String? { recipe ?? replay }
  /// The file whose metadata hold the recipe, if no other is given.
  func replays(withModels models: [String]) -> String? {
    replay ?? (recipe == nil && models.isEmpty ? verify : nil)
  }

  func validate() throws {
    if recipe != nil, replay != nil {
      throw ValidationError("--recipe and --replay contradict each other")
    }
    if replay != nil, folder == nil {
      throw ValidationError("--replay needs --models FOLDER, where the models are looked for")
    }
  }

  /// The recipe that made the file at `path`, with its models found by hash in ``folder``.
  ///
  /// What is not there is merged anew where the metadata say how.
  func replayed(_ path: String, threads: Int) throws(Fault) -> Recipe {
    let texts = try openModel(path: path).texts
    var imported: ImportedRecipe
    let found: [String: String]
    do throws(Fault) {
      imported = try ImportedRecipe(metadata: texts)
      found = try find(imported.recipe.models, threads: threads)
      imported = try imported.expanded(by: RecipeAncestry(metadata: texts)) { found[$0] != nil }
    } catch { throw error.at(path) }
    for note in imported.notes {
      Terminal.writeError("sdtool: " + note.at(path).description.sanitized)
    }
    for index in imported.recipe.models.indices {
      imported.recipe.models[index].path = imported.recipe.models[index].sha256.flatMap {
        found[$0]
      }
    }
    return imported.recipe
  }

  /// The paths of models in ``folder`` by their hashes: all that are there, unless `wanted` are
  /// found before.
  private func find(
    _ wanted: [Recipe.Model], threads: Int
  ) throws(Fault) -> [String: String] {
    var missing = Set(wanted.compactMap(\.sha256))
    let names = Set(wanted.compactMap { $0.path.map(Self.fileName) })
    // Files that have the right name come first; mostly no other has to be read.
    let candidates = findModels(in: [folder ?? "."])
    let sorted =
      candidates.filter { names.contains(Self.fileName($0)) }
      + candidates.filter { !names.contains(Self.fileName($0)) }
    var cache = HashCache(environment: Terminal.environment)
    defer { cache.save() }
    var found: [String: String] = [:]
    for candidate in sorted where !missing.isEmpty {
      // Whatever else lies in the folder is nobody's concern.
      guard let hash = try? Self.hash(of: candidate, &cache, threads: threads) else { continue }
      missing.remove(hash)
      if found[hash] == nil { found[hash] = candidate }
    }
    return found
  }

  /// The SHA-256 of the model at `path`.
  private static func hash(
    of path: String, _ cache: inout HashCache, threads: Int
  ) throws(Fault) -> String? {
    guard isModelFolder(path: path) else {
      return try cache.sha256(of: [InputFile(path: path)], width: threads)[0]
    }
    let model = try openModel(path: path)
    return modelSHA256(of: model, files: try cache.sha256(of: model.files, width: threads))
  }

  /// The SHA-256 of every model, by its name in the recipe; see ``modelSHA256(of:files:)``.
  ///
  /// - Throws: ``Rule/recipeValue`` if a model is another than the recipe's.
  func hashes(of plan: RecipePlan, threads: Int) throws(Fault) -> [String: String] {
    var cache = HashCache(environment: Terminal.environment)
    defer { cache.save() }
    var files: [InputFile] = []
    for model in plan.recipe.models { files += plan.models[model.name]?.files ?? [] }
    let all = try cache.sha256(of: files, width: threads)
    var known: [String: String] = [:]
    var position = 0
    for model in plan.recipe.models {
      guard let source = plan.models[model.name] else { continue }
      let own = Array(all[position..<position + source.files.count])
      position += source.files.count
      known[model.name] = modelSHA256(of: source, files: own)
      if let pinned = model.sha256, let found = known[model.name], pinned != found {
        throw Fault(
          .recipeValue, "is not the model '\(model.name)' of the recipe", path: source.path,
          expected: "SHA-256 \(pinned)", found: found)
      }
    }
    return known
  }

  /// What the output says about how it was made.
  ///
  /// - Parameters:
  ///   - plan: what is done.
  ///   - output: the path of the output, of which the title is made.
  ///   - hashes: the SHA-256 of every model, by its name in the recipe.
  /// - Returns: the texts for the output.
  /// - Throws: what reading the models throws.
  func metadata(
    of plan: RecipePlan, output: String, hashes: [String: String]
  ) throws(Fault) -> [MetadataEntry] {
    guard !noRecipe else {
      // What the network predicts is no secret, and cannot be seen in the weights.
      let key = "modelspec.prediction_type"
      let first = plan.recipe.models.first.flatMap { plan.models[$0.name]?.texts[key] }
      return [MetadataEntry(key: "format", value: "pt")]
        + (first.map { [MetadataEntry(key: key, value: $0)] } ?? [])
    }
    var parents: [MergeParent] = []
    for model in plan.recipe.models {
      guard let source = plan.models[model.name], let hash = hashes[model.name] else { continue }
      // The web UI's old hash is that of a file; a folder has none.
      let isFile = source.files.count == 1 && source.files[0].path == source.path
      parents.append(
        MergeParent(
          model: model.name, fileName: Self.fileName(source.path), sha256: hash,
          legacyHash: isFile ? try source.files[0].autoV1() : "", metadata: source.texts))
    }
    var metadata = try MergeMetadata(recipe: plan.recipe, parents: parents)
    metadata.record.customName = Self.title(output)
    let identity = ModelIdentity(plan.result.tensors)
    metadata.record.isInpainting = identity.variant == .inpainting
    metadata.record.isInstructPix2Pix = identity.variant == .instructPix2Pix
    return try metadata.entries(title: Self.title(output), toolVersion: SDTool.version)
      .map { MetadataEntry(key: $0.key, value: $0.value) }
  }

  /// Texts of the length of hashes that are not known yet, different for each model.
  func placeholders(for plan: RecipePlan) -> [String: String] {
    Dictionary(
      uniqueKeysWithValues: plan.recipe.models.enumerated().map { index, model in
        let number = String(index)
        return (model.name, String(repeating: "-", count: 64 - number.utf8.count) + number)
      })
  }

  /// The last part of a path.
  private static func fileName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// The last part of a path without its suffix.
  private static func title(_ path: String) -> String {
    let name = fileName(path)
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
    return String(name[..<dot])
  }
}

extension TensorSource {
  /// The texts beside the tensors, by name; of a folder those of its first component count.
  var texts: [String: String] {
    var texts = Dictionary(metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    guard container == .diffusersFolder else { return texts }
    for entry in metadata {
      for component in Component.allCases where entry.key.hasPrefix(component.folder + "/") {
        let key = String(entry.key.dropFirst(component.folder.count + 1))
        if texts[key] == nil { texts[key] = entry.value }
      }
    }
    return texts
  }
}
