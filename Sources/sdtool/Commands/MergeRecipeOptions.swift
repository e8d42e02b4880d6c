import ArgumentParser
import Inspection
import Layouts
import Merge
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
      return recipe
    } catch { throw error.at(path) }
  }

  /// What the output says about how it was made.
  func metadata(
    of plan: RecipePlan, output: String, threads: Int
  ) throws(Fault) -> [MetadataEntry] {
    guard !noRecipe else { return [MetadataEntry(key: "format", value: "pt")] }
    var parents: [MergeParent] = []
    for model in plan.recipe.models {
      guard let source = plan.models[model.name] else { continue }
      guard let file = source.files.first else { continue }
      let hashes = try FileHashes(of: file, width: threads)
      if let pinned = model.sha256, pinned != "\(hashes.sha256)" {
        throw Fault(
          .recipeValue, "is not the model '\(model.name)' of the recipe", path: source.path,
          expected: "SHA-256 \(pinned)", found: "\(hashes.sha256)")
      }
      var texts: [String: String] = [:]
      for entry in source.metadata { texts[entry.key] = entry.value }
      parents.append(
        MergeParent(
          model: model.name, fileName: Self.fileName(source.path), sha256: "\(hashes.sha256)",
          legacyHash: hashes.autoV1, metadata: texts))
    }
    var metadata = try MergeMetadata(recipe: plan.recipe, parents: parents)
    metadata.record.customName = Self.title(output)
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
