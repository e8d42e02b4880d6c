import JSON
public import Tensors

/// What is known of a model that took part in a merge.
public struct MergeParent: Hashable, Sendable {
  /// What the recipe calls it.
  public var model: String
  /// The name of its file, without folders.
  public var fileName: String
  /// The SHA-256 of the file, 64 lower-case hexadecimal digits.
  public var sha256: String
  /// The web UI's old hash of the file: 8 hexadecimal digits.
  public var legacyHash: String
  /// The metadata in the file's header.
  public var metadata: [String: String]

  /// A model and its file.
  public init(
    model: String, fileName: String, sha256: String, legacyHash: String,
    metadata: [String: String] = [:]
  ) {
    self.model = model
    self.fileName = fileName
    self.sha256 = sha256
    self.legacyHash = legacyHash
    self.metadata = metadata
  }
}

/// The metadata of a merged file: how it was made, for this tool and for others.
///
///     let metadata = try MergeMetadata(recipe: recipe, parents: parents)
///     metadata.entries(title: "my merge", toolVersion: "1.0")
///
/// - `sdtool.recipe`: the recipe, with file names and hashes and without folders.
/// - `sd_merge_recipe` and `sd_merge_models`: as AUTOMATIC1111's web UI writes them, byte for byte
///   the JSON of Python's `json.dumps`. The second holds every ancestor that a parent's metadata
///   names.
/// - `sdtool.parents`: the recipes of the models and of their ancestors, as far as they have any.
/// - `modelspec.*`: Stability AI's model specification 1.0.1. `hash_sha256` is left out: it would
///   stand before the tensors that it is computed from, and cost a second pass over the file. `unet_dtype` and `vae_dtype` are too: they do not say how
///   weights are stored, but which types are known to be good enough for inference.
public struct MergeMetadata: Sendable {
  /// The web UI's record of the merge.
  public var record: WebUIRecord
  /// What `modelspec.date` says, for example `2024-05-01`; left out if absent, so that the same
  /// merge gives the same file.
  public var date: String?
  private let recipe: Recipe
  private let parents: [MergeParent]

  /// The metadata of what `recipe` makes.
  ///
  /// - Parameters:
  ///   - recipe: what was done.
  ///   - parents: one for each of the recipe's models.
  /// - Throws: ``Tensors/Rule/recipeName`` if a model of the recipe has no parent.
  public init(recipe: Recipe, parents: [MergeParent]) throws(Fault) {
    var recipe = recipe
    var ordered: [MergeParent] = []
    for index in recipe.models.indices {
      let name = recipe.models[index].name
      guard let parent = parents.first(where: { $0.model == name }) else {
        throw Fault(.recipeName, "has no file for the model '\(name)'")
      }
      recipe.models[index].path = parent.fileName
      recipe.models[index].sha256 = parent.sha256
      ordered.append(parent)
    }
    self.recipe = recipe
    self.parents = ordered
    record = WebUIRecord(recipe, parents: ordered)
  }

  /// All entries, sorted by key.
  ///
  /// - Parameters:
  ///   - title: what the model is called.
  ///   - toolVersion: the version of this tool.
  /// - Returns: keys and values for the file's header.
  /// - Throws: ``Tensors/Rule/jsonTooLarge`` for an ancestry of more than 2 GiB.
  public func entries(
    title: String, toolVersion: String
  ) throws(Fault) -> [(key: String, value: String)] {
    var entries = [
      ("format", "pt"), ("sdtool.version", toolVersion),
      ("sdtool.recipe", try recipe.json.serialized()),
      ("sd_merge_recipe", PythonJSON.dumps(record.json)),
      ("sd_merge_models", PythonJSON.dumps(Self.ancestry(of: parents))),
      ("modelspec.sai_model_spec", "1.0.1"), ("modelspec.architecture", "stable-diffusion-v1"),
      ("modelspec.implementation", "https://github.com/Stability-AI/generative-models"),
      ("modelspec.title", title), ("modelspec.resolution", "512x512"),
      (
        "modelspec.merged_from",
        parents.map { "\($0.fileName) (sha256 \($0.sha256))" }.joined(separator: ", ")
      ),
    ]
    let recipes = Self.recipes(of: parents)
    if !recipes.isEmpty {
      entries.append((RecipeAncestry.key, try JSONValue.object(recipes).serialized()))
    }
    if let prediction { entries.append(("modelspec.prediction_type", prediction)) }
    if let date { entries.append(("modelspec.date", date)) }
    return entries.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
  }

  /// What the first model says the network predicts: `epsilon` or `v`.
  private var prediction: String? {
    parents.first.flatMap { $0.metadata["modelspec.prediction_type"] }
  }

  /// The recipes of the parents and of all ancestors that they name, by hash.
  private static func recipes(of parents: [MergeParent]) -> JSONObject {
    var recipes = JSONObject()
    for parent in parents {
      if let recipe = parsed(parent.metadata["sdtool.recipe"]), recipe.object != nil {
        recipes[parent.sha256] = recipe
      }
      let ancestors = parsed(parent.metadata[RecipeAncestry.key])?.object
      for (key, value) in ancestors?.pairs ?? [] { recipes[key] = value }
    }
    return recipes
  }

  /// The web UI's map from hashes to parents, followed by the ancestors that each parent lists.
  ///
  /// As with its Python dictionary, a hash that comes again keeps its place and takes the later
  /// value.
  static func ancestry(of parents: [MergeParent]) -> JSONValue {
    var models = JSONObject()
    for parent in parents {
      models[parent.sha256] = [
        "name": .string(parent.fileName), "legacy_hash": .string(parent.legacyHash),
        "sd_merge_recipe": parsed(parent.metadata["sd_merge_recipe"]) ?? nil,
      ]
      for (key, value) in parsed(parent.metadata["sd_merge_models"])?.object?.pairs ?? [] {
        models[key] = value
      }
    }
    return .object(models)
  }

  /// What the web UI takes a metadata value for: JSON if it is an object, otherwise text.
  private static func parsed(_ text: String?) -> JSONValue? {
    guard let text else { return nil }
    guard text.hasPrefix("{"), let value = try? JSONValue(parsing: text) else {
      return .string(text)
    }
    return value
  }
}

extension JSONObject {
  fileprivate var pairs: [(String, JSONValue)] { map { ($0.key, $0.value) } }
}

extension WebUIRecord {
  /// The record of what a recipe makes.
  ///
  /// One weighted sum or add difference with one number for all tensors is what the web UI can do
  /// itself; for all else the type is `sdtool`, and `sdtool.recipe` says the rest.
  init(_ recipe: Recipe, parents: [MergeParent]) {
    let files = Dictionary(parents.map { ($0.model, $0) }) { first, _ in first }
    let step = recipe.steps.last
    let method = step.flatMap { step in MergeMethods.all.first { $0.name == step.method } }
    let inputs = (step?.inputs ?? [recipe.result]).compactMap { files[$0]?.sha256 }
    let isScalar = step?.alpha?.isScalar ?? true
    let names = ["weighted-sum": "Weighted sum", "add-difference": "Add difference"]
    if recipe.steps.isEmpty {
      self.init(hashes: inputs, method: "No interpolation", multiplier: 0)
    } else if recipe.steps.count == 1, let step, let method, isScalar, let name = names[step.method]
    {
      self.init(hashes: inputs, method: name, multiplier: step.settings(of: method).alpha)
    } else {
      let alpha = step.flatMap { step in
        isScalar ? method.map { step.settings(of: $0).alpha } : nil
      }
      self.init(
        hashes: parents.prefix(3).map(\.sha256), method: step?.method ?? "", multiplier: alpha)
      type = "sdtool"
    }
    isHalf = recipe.output.dtype == .f16 && recipe.output.componentTypes.isEmpty
    discard = recipe.output.discard ?? ""
    if let vae = recipe.output.vae { self.vae = files[vae]?.fileName ?? vae }
  }
}
