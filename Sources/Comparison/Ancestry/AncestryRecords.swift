import Inspection
import Merge
import Tensors

/// What the metadata of models say about their origins, and which of the models those are.
struct AncestryRecords {
  /// One for each model that says anything, in their order.
  private(set) var records: [Ancestry.Record] = []

  /// Reads metadata, and looks for what they name.
  ///
  /// - Parameters:
  ///   - models: the models, which are looked for among themselves.
  ///   - hashes: whether files are hashed whose hashes are not known; those of the right names
  ///     first, and no more than are needed.
  ///   - width: the number of threads.
  ///   - environment: says where known hashes are kept.
  /// - Throws: what reading throws.
  init(
    _ models: [NamedModel], hashes: Bool, width: Int, environment: (String) -> String?
  ) throws(Fault) {
    let recipes = models.map { model in
      try? ImportedRecipe(
        metadata: Dictionary(
          model.source.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
      )
    }
    guard recipes.contains(where: { $0 != nil }) else { return }
    let names = models.map { Ancestry.baseName($0.source.path) }
    let origins = recipes.map { recipe in
      (recipe?.recipe.models ?? []).map {
        (name: $0.path.map { Ancestry.baseName($0) } ?? $0.name, sha256: $0.sha256)
      }
    }
    func isCalled(_ model: Int, _ name: String) -> Bool {
      names[model] == name || Self.stem(names[model]) == name
    }
    let wanted = Set(origins.joined().compactMap(\.sha256))
    let expected = models.indices.filter { model in
      origins.joined().contains { isCalled(model, $0.name) }
    }
    let found = try Self.files(
      of: models, expected + models.indices.filter { !expected.contains($0) }, wanted: wanted,
      reads: hashes, width: width, environment: environment)
    for (model, recipe) in recipes.enumerated() {
      guard let recipe else { continue }
      let list = origins[model].map { origin in
        let byHash = origin.sha256.flatMap { hash in
          models.indices.first { $0 != model && found[$0] == hash }
        }
        // A file of the right name that is known to be another one is not meant.
        let byName = models.indices.first {
          $0 != model && isCalled($0, origin.name)
            && (origin.sha256 == nil || found[$0] == nil)
        }
        return Ancestry.Origin(
          name: origin.name, sha256: origin.sha256, found: byHash ?? byName)
      }
      records.append(Ancestry.Record(model: model, tool: recipe.tool, origins: list))
    }
  }

  /// The SHA-256 of models, as far as it is known or needed.
  private static func files(
    of models: [NamedModel], _ order: [Int], wanted: Set<String>, reads: Bool, width: Int,
    environment: (String) -> String?
  ) throws(Fault) -> [String?] {
    var cache = HashCache(environment: environment)
    var found = models.map { model -> String? in
      let known = model.source.files.compactMap { cache.known(of: $0) }
      return known.count == model.source.files.count && !known.isEmpty
        ? modelSHA256(of: model.source, files: known) : nil
    }
    guard reads else { return found }
    defer { cache.save() }
    for model in order where found[model] == nil && !models[model].source.files.isEmpty {
      guard !wanted.isSubset(of: Set(found.compactMap(\.self))) else { break }
      let source = models[model].source
      found[model] = modelSHA256(
        of: source, files: try cache.sha256(of: source.files, width: width))
    }
    return found
  }

  /// A name without its suffix.
  private static func stem(_ name: String) -> String {
    name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
  }
}
