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

  /// Reads the recipe in the file at `path`.
  func read(_ path: String, presets: PresetLibrary) throws(Fault) -> Recipe {
    let file = try InputFile(path: path)
    do throws(Fault) {
      let bytes = try file.read(at: 0, count: min(file.byteCount, 2 << 20))
      var recipe = try Recipe(yaml: String(decoding: bytes, as: UTF8.self), presets: presets)
      // Paths in a recipe are relative to it.
      let slash = path.lastIndex(of: "/")
      for index in recipe.models.indices {
        guard let own = recipe.models[index].path, !own.hasPrefix("/"), let slash else { continue }
        recipe.models[index].path = path[...slash] + own
      }
      for index in recipe.steps.indices {
        recipe.steps[index].loras = recipe.steps[index].loras.map { lora in
          guard !lora.hasPrefix("/"), let slash else { return lora }
          return path[...slash] + lora
        }
      }
      return recipe
    } catch { throw error.at(path) }
  }

  /// The recipe that made the file at `path`, with its models found by hash in ``folder``.
  func replayed(_ path: String, threads: Int) throws(Fault) -> Recipe {
    let merged = try openModel(path: path)
    var imported: ImportedRecipe
    do throws(Fault) {
      imported = try ImportedRecipe(metadata: merged.texts)
    } catch { throw error.at(path) }
    for note in imported.notes {
      Terminal.writeError("sdtool: " + note.at(path).description.sanitized)
    }
    var wanted = Set(imported.recipe.models.compactMap(\.sha256))
    let names = Set(imported.recipe.models.compactMap { $0.path.map(Self.fileName) })
    // Files that have the right name come first; mostly no other has to be read.
    let candidates = findModels(in: [folder ?? "."]).filter { !isModelFolder(path: $0) }
    let sorted =
      candidates.filter { names.contains(Self.fileName($0)) }
      + candidates.filter { !names.contains(Self.fileName($0)) }
    var cache = HashCache(environment: Terminal.environment)
    defer { cache.save() }
    for candidate in sorted where !wanted.isEmpty {
      guard let file = try? InputFile(path: candidate) else { continue }
      let hash = try cache.sha256(of: [file], width: 1)[0]
      guard wanted.remove(hash) != nil else { continue }
      for index in imported.recipe.models.indices
      where imported.recipe.models[index].sha256 == hash {
        imported.recipe.models[index].path = candidate
      }
    }
    for index in imported.recipe.steps.indices {
      // LoRAs are known by the names of their files.
      imported.recipe.steps[index].loras = try imported.recipe.steps[index].loras.map {
        (lora) throws(Fault) in
        let name = try LoRAArgument(lora).name
        let found = candidates.first { Self.fileName($0) == name }
        return found.map { $0 + lora.dropFirst(name.count) } ?? lora
      }
    }
    if let missing = imported.recipe.models.first(where: { wanted.contains($0.sha256 ?? "") }) {
      throw Fault(
        .recipeUnsupported, "was made from a model that is not in \(folder ?? ".")", path: path,
        expected: "\(missing.path ?? missing.name) with SHA-256 \(missing.sha256 ?? "")",
        hint: "name the folder that holds it with --models")
    }
    return imported.recipe
  }

  /// The SHA-256 of every model's file, by the model's name.
  ///
  /// - Throws: ``Rule/recipeValue`` if a model is another than the recipe's, or a folder.
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
      // A model of several files is known by its first one.
      known[model.name] = source.files.isEmpty ? nil : all[position]
      position += source.files.count
      if let pinned = model.sha256, let found = known[model.name], pinned != found {
        throw Fault(
          .recipeValue, "is not the model '\(model.name)' of the recipe", path: source.path,
          expected: "SHA-256 \(pinned)", found: found)
      }
    }
    return known
  }

  /// What the output says about how it was made.
  func metadata(
    of plan: RecipePlan, output: String, threads: Int
  ) throws(Fault) -> [MetadataEntry] {
    guard !noRecipe else { return [MetadataEntry(key: "format", value: "pt")] }
    let hashes = try hashes(of: plan, threads: threads)
    var parents: [MergeParent] = []
    for model in plan.recipe.models {
      guard let source = plan.models[model.name], let file = source.files.first else { continue }
      parents.append(
        MergeParent(
          model: model.name, fileName: Self.fileName(source.path),
          sha256: hashes[model.name] ?? "", legacyHash: try file.autoV1(),
          metadata: source.texts))
    }
    var metadata = try MergeMetadata(recipe: plan.recipe, parents: parents)
    metadata.record.customName = Self.title(output)
    let identity = ModelIdentity(plan.result.tensors)
    metadata.record.isInpainting = identity.variant == .inpainting
    metadata.record.isInstructPix2Pix = identity.variant == .instructPix2Pix
    metadata.record.isHalf = plan.recipe.output.dtype == .f16
    return try metadata.entries(title: Self.title(output), toolVersion: SDTool.version)
      .map { MetadataEntry(key: $0.key, value: $0.value) }
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
  /// The texts beside the tensors, by name.
  var texts: [String: String] {
    Dictionary(metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
  }
}
