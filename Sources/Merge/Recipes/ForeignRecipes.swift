import JSON
import Tensors

extension ForeignRecord {
  // MARK: SuperMerger

  /// SuperMerger's merge.
  func superMerger() throws(Fault) -> ImportedRecipe {
    var notes = [
      Self.note(
        "was merged by SuperMerger, which records neither seed, precision, Adjust nor a baked VAE")
    ]
    let (method, modelCount, usesBeta) = try superMergerMethod()
    let (models, names) = try models(["model_a", "model_b", "model_c"].prefix(modelCount) + [])
    var step = Recipe.Step("merge", method: method, inputs: names)
    step.arithmetic = .lerp
    step.dialect = .supermerger2023
    let usesBlocks = self["mbw"]?.bool == true
    var alpha = try superMergerWeights("alpha", usesBlocks: usesBlocks)
    alpha.elements = try superMergerElements(notes: &notes)
    step.alpha = alpha
    if usesBeta { step.beta = try superMergerWeights("beta", usesBlocks: usesBlocks) }
    for key in keys where ["Include", "Exclude"].contains(key) {
      let names = self[key]?.array?.compactMap(\.string).filter { !trimmed($0).isEmpty } ?? []
      guard names.isEmpty else {
        throw Fault(
          .recipeUnsupported,
          "was merged with an \(key.lowercased()) list of blocks, which is not "
            + "supported", found: shortened(names.joined(separator: ", ")),
          hint: "write a recipe with 'blocks' and 'elements' instead")
      }
    }
    // The list of inclusions came after the change; records without it can be of either time.
    if usesBlocks, !keys.contains(where: { ["Off", "Include", "Exclude"].contains($0) }) {
      notes.append(
        Self.note(
          "may have been merged before 21 July 2023, when SuperMerger gave the time embedding the "
            + "weight of IN00 and not of OUT11", hint: "choose the dialect mbw in that case"))
    }
    return ImportedRecipe(Recipe(models: models, steps: [step]), tool: "SuperMerger", notes: notes)
  }

  /// The method, how many models it takes, and whether it takes β.
  private func superMergerMethod() throws(Fault) -> (String, Int, Bool) {
    let mode = try text("mode")
    let calculation = self["calcmode"]?.string ?? "normal"
    let base: (String, Int, Bool)? =
      mode.hasPrefix("Weight")
      ? ("weighted-sum", 2, false)
      : mode.hasPrefix("Add")
        ? ("add-difference", 3, false)
        : mode.hasPrefix("Triple")
          ? ("triple-sum", 3, true)
          : mode.lowercased().contains("twice") ? ("sum-twice", 3, true) : nil
    switch (calculation, base?.0) {
    case ("normal", _): if let base { return base }
    case ("cosineA", "weighted-sum"): return ("cosine-a", 2, false)
    case ("cosineB", "weighted-sum"): return ("cosine-b", 2, false)
    case ("trainDifference", _): return ("train-difference", 3, false)
    case ("smoothAdd", _), ("smoothAdd MT", _): return ("smooth-add", 3, false)
    case ("extract", _): return ("extract", 3, true)
    case ("tensor", "weighted-sum"): return ("tensor-sum", 2, true)
    case ("tensor2", "weighted-sum"): return ("tensor-sum-columns", 2, true)
    default: break
    }
    throw Fault(
      .recipeUnsupported, "was merged by a method that is not supported",
      found: "'\(shortened(mode))' with '\(shortened(calculation))'")
  }

  /// The weights of α or β: one number, or 25 after the one for `BASE`.
  private func superMergerWeights(
    _ letter: String, usesBlocks: Bool
  ) throws(Fault) -> WeightSpecification {
    let base = try number("base_\(letter)")
    guard usesBlocks else { return WeightSpecification(alpha: base) }
    let key = "weights_\(letter)"
    guard let list = self[key]?.array,
      let blocks = BlockWeights(base: base, blocks: list.compactMap(\.double))
    else {
      throw Self.damaged(key, "25 numbers", self[key])
    }
    return WeightSpecification(blocks: blocks)
  }

  /// The elemental rules; what SuperMerger ignored is left out and noted.
  private func superMergerElements(notes: inout [Fault]) throws(Fault) -> ElementalRules {
    let text: String
    switch self["elemental_merge"] {
    case .string(let rules): text = rules
    case .array(let rules): text = rules.compactMap(\.string).joined(separator: "\n")
    default: return ElementalRules()
    }
    guard text.utf8.count <= ElementalRules.maximumByteCount else {
      return try ElementalRules(text)
    }
    var rules: [Substring] = []
    for rule in text.split(whereSeparator: { $0 == "," || $0.isNewline }) {
      let isRule = rule.count { $0 == ":" } == 2
      if isRule {
        rules.append(rule)
      } else if !trimmed(rule).isEmpty {
        notes.append(
          Self.note(
            "has an elemental rule without two colons, which SuperMerger ignored: "
              + "'\(shortened(rule))'"))
      }
    }
    return try ElementalRules(rules.joined(separator: "\n"))
  }

  // MARK: Chattiori

  /// Chattiori's merge.
  func chattiori() throws(Fault) -> ImportedRecipe {
    let name = try text("merge_method")
    let methods: [String: (String, Int, Bool)] = [
      "weighted sum": ("weighted-sum", 2, false), "add difference": ("add-difference", 3, false),
      "multiply difference": ("multiply-difference", 3, true),
      "similarity add difference": ("similarity-add-difference", 3, true),
      "triple sum": ("triple-sum", 3, true), "sum twice": ("sum-twice", 3, true),
      "smooth add difference": ("smooth-add", 3, false),
      "train difference": ("train-difference", 3, false),
      "tensor sum": ("tensor-sum", 2, true),
    ]
    guard let (named, modelCount, usesBeta) = methods[name.lowercased()] else {
      throw Fault(
        .recipeUnsupported, "was merged by a method that is not supported",
        found: "'\(shortened(name))'")
    }
    var method = named
    switch self["calculation"]?.string ?? "" {
    case "", "None": break
    case "cosine_0" where method == "weighted-sum": method = "cosine-a"
    case "cosine_1" where method == "weighted-sum": method = "cosine-b"
    case let calculation:
      throw Fault(
        .recipeUnsupported, "was merged with a calculation that is not supported",
        found: "'\(shortened(calculation))'")
    }
    let hashes = ["primary_model_hash", "secondary_model_hash", "tertiary_model_hash"]
    let (models, names) = try models(Array(hashes.prefix(modelCount)))
    var notes = [
      Self.note("was merged by Chattiori's merger, which records weights to three decimals only")
    ]
    var step = Recipe.Step("merge", method: method, inputs: names)
    step.dialect = .chattiori
    step.arithmetic = .webui
    step.alpha = try chattioriWeights("alpha_info")
    if usesBeta { step.beta = try chattioriWeights("beta_info") }
    var recipe = Recipe(models: models, steps: [step])
    let precision = self["fp"]?.string
    if self["save_as_half"]?.bool == true || precision == "fp16" {
      recipe.output.dtype = .f16
    } else if precision == "fp32" || precision == "bf16" {
      recipe.output.dtype = precision == "bf16" ? .bf16 : .f32
    }
    if let vae = self["bake_in_vae"]?.string, !vae.isEmpty { notes.append(Self.vaeNote(vae)) }
    return ImportedRecipe(recipe, tool: "Chattiori", notes: notes)
  }

  /// `0.5`, or `0.5,[[25 weights],[elemental rules]]`, perhaps after `preset:[NAME],`.
  private func chattioriWeights(_ key: String) throws(Fault) -> WeightSpecification {
    if let number = self[key]?.double { return WeightSpecification(alpha: number) }
    var rest = trimmed(try text(key))
    if rest.hasPrefix("preset:["), let end = rest.firstRange(of: "],") {
      rest = rest[end.upperBound...]
    }
    guard let bracket = rest.firstRange(of: ",[[") else {
      return WeightSpecification(alpha: try readWeight(rest, at: "'\(key)'"))
    }
    let base = try readWeight(trimmed(rest[..<bracket.lowerBound]), at: "'\(key)'")
    let lists = rest[bracket.upperBound...]
    guard let end = lists.firstIndex(of: "]") else {
      throw Self.damaged(key, "25 weights in brackets", self[key])
    }
    let listed = try BlockWeights(list: lists[..<end])
    guard listed.base == nil, let blocks = BlockWeights(base: base, blocks: listed.blocks) else {
      throw Self.damaged(key, "25 weights in brackets", self[key])
    }
    let rules = lists[end...].dropFirst().filter { !"[]'\"".contains($0) }
    return WeightSpecification(
      blocks: blocks,
      elements: try ElementalRules(String(rules)))
  }
}
