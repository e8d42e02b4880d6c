import Comparison
import Drawing
import Inspection
import JSON
import Merge

/// How a model came about, as a graph: the recipe's models and steps, and the ancestors of the
/// models as far as the metadata name them.
struct RecipeGraph {
  /// The picture.
  private(set) var picture = GraphPicture(
    "How it was merged", remark: "from the first models to the result")
  /// The models and the steps in words, for those who do not see the picture.
  private(set) var words: [(name: String, value: String)] = []
  /// How many ancestors are left out.
  private(set) var hiddenCount = 0

  /// The most nodes that are drawn.
  private static let limit = 60

  /// The graph of a recipe.
  ///
  /// - Parameters:
  ///   - recipe: the recipe.
  ///   - ancestry: the web UI's map from hashes to models, as JSON, if there is one.
  ///   - result: the name of the merged file.
  init(_ recipe: Recipe, ancestry: String?, result: String) {
    let ancestors = ancestry.flatMap { try? JSONValue(parsing: $0) }?.object
    var positions: [String: Int] = [:], hashes: [String: Int] = [:]
    for model in recipe.models.prefix(Self.limit) {
      let hash = model.sha256.map { "sha256 " + $0.prefix(10) } ?? ""
      let file = model.path.flatMap { $0.split(separator: "/").last.map(String.init) }
      let remark = [file == nil ? "" : model.name, hash].filter { !$0.isEmpty }
      positions[model.name] = picture.nodes.count
      if let sha256 = model.sha256 { hashes[sha256] = picture.nodes.count }
      picture.nodes.append(
        .init(
          file ?? model.name, remark: remark.joined(separator: " · "), token: .convolution))
    }
    for step in recipe.steps.prefix(Self.limit) {
      let isResult = step.name == recipe.result
      let own = picture.nodes.count
      picture.nodes.append(
        .init(
          isResult ? result : step.name, remark: Self.words(of: step),
          token: isResult ? .residual : .attention))
      for input in step.inputs {
        if let from = positions[input] { picture.edges.append(.init(from: from, to: own)) }
      }
      positions[step.name] = own
    }
    for model in recipe.models.prefix(Self.limit) {
      let hash = model.sha256.map { "sha256 " + $0.prefix(10) }
      words.append((model.name, [model.path, hash].compactMap { $0 }.joined(separator: ", ")))
    }
    for step in recipe.steps.prefix(Self.limit) {
      words.append(
        (
          step.name,
          "\(Self.words(of: step, isFull: true)), of \(step.inputs.joined(separator: ", "))"
        ))
    }
    hiddenCount +=
      max(0, recipe.models.count - Self.limit) + max(0, recipe.steps.count - Self.limit)
    if let ancestors { addAncestors(ancestors, hashes) }
  }

  /// The models that models were merged from, generation by generation.
  private mutating func addAncestors(_ ancestors: JSONObject, _ known: [String: Int]) {
    var positions = known
    var waiting = known.sorted { $0.value < $1.value }.map(\.key)
    var next = 0
    while next < waiting.count {
      let hash = waiting[next]
      next += 1
      guard let child = positions[hash],
        let recipe = ancestors[hash]?["sd_merge_recipe"], recipe.object != nil
      else { continue }
      if let method = recipe["interp_method"]?.string {
        let weight = recipe["multiplier"]?.double.map { " " + Written.measure($0) } ?? ""
        picture.nodes[child].remark = method + weight + " · " + hash.prefix(10)
      }
      for key in ["primary_model_hash", "secondary_model_hash", "tertiary_model_hash"] {
        guard let parent = recipe[key]?.string?.lowercased(), parent != hash else { continue }
        if positions[parent] == nil {
          guard picture.nodes.count < 2 * Self.limit else {
            hiddenCount += 1
            continue
          }
          positions[parent] = picture.nodes.count
          waiting.append(parent)
          let name = ancestors[parent]?["name"]?.string ?? "unknown model"
          picture.nodes.append(
            .init(name, remark: "sha256 " + parent.prefix(10), token: .normalization))
        }
        if let from = positions[parent] { picture.edges.append(.init(from: from, to: child)) }
      }
    }
  }

  /// Method and weights in a few words: `weighted-sum, α 0.5`.
  private static func words(of step: Recipe.Step, isFull: Bool = false) -> String {
    func words(_ name: String, _ weights: WeightSpecification?) -> String? {
      guard let weights else { return nil }
      if let blocks = weights.blocks {
        if case .preset(let preset) = blocks.origin { return "\(name) \(preset)" }
        return isFull ? "\(name) \(blocks.list)" : "\(name) by block"
      }
      guard weights.settings.isEmpty, weights.elements.rules.isEmpty else {
        return "\(name) by place"
      }
      return weights.alpha.map { "\(name) \(Written.measure($0))" }
    }
    let parts = [words("α", step.alpha), words("β", step.beta)].compactMap { $0 }
    return ([step.method] + parts).joined(separator: ", ")
  }
}
