import JSON
import Merge
import StableDiffusion
import Tensors
import Testing

private func hash(_ letter: String) -> String {
  String(repeating: String(letter.utf8.first ?? 0, radix: 16), count: 32)
}

@Suite("Merges of merges, repeated from the first models")
struct RecipeAncestryTests {
  /// A web UI's record of a weighted sum, as JSON.
  private func record(_ a: String, _ b: String, alpha: Double = 0.5) -> String {
    """
    {"type": "webui", "primary_model_hash": "\(hash(a))", "secondary_model_hash": "\(hash(b))", \
    "tertiary_model_hash": null, "interp_method": "Weighted sum", "multiplier": \(alpha), \
    "save_as_half": false, "bake_in_vae": "None", "discard_weights": ""}
    """
  }

  /// `sd_merge_models` with a file for each letter, and the record of those that were merged.
  private func models(_ records: [String: String], of letters: [String]) -> String {
    let entries = letters.map { letter in
      "\"\(hash(letter))\": {\"name\": \"\(letter).safetensors\", \"legacy_hash\": \"0\", "
        + "\"sd_merge_recipe\": \(records[letter] ?? "null")}"
    }
    return "{" + entries.joined(separator: ", ") + "}"
  }

  private func expanded(
    _ metadata: [String: String], found: Set<String>
  ) throws -> ImportedRecipe {
    let hashes = Set(found.map(hash))
    return try ImportedRecipe(metadata: metadata)
      .expanded(by: RecipeAncestry(metadata: metadata)) { hashes.contains($0) }
  }

  @Test("a model that is there is taken, whatever it was made of")
  func found() throws {
    let metadata = [
      "sd_merge_recipe": record("m", "c"),
      "sd_merge_models": models(["m": record("a", "b")], of: ["m", "c", "a", "b"]),
    ]
    let recipe = try expanded(metadata, found: ["m", "c", "a", "b"]).recipe
    #expect(recipe.steps.count == 1)
    #expect(recipe.models.compactMap(\.sha256) == [hash("m"), hash("c")])
  }

  @Test("two generations that are gone become steps, each after what it needs, rounded as files")
  func generations() throws {
    let metadata = [
      "sd_merge_recipe": record("n", "m", alpha: 0.1),
      "sd_merge_models": models(
        ["n": record("m", "c", alpha: 0.2), "m": record("a", "b", alpha: 0.3)],
        of: ["n", "m", "c", "a", "b"]),
    ]
    let imported = try expanded(metadata, found: ["a", "b", "c"])
    let recipe = imported.recipe
    #expect(recipe.steps.map(\.name) == ["m", "n", "merge"])
    #expect(recipe.steps.map(\.inputs) == [["a", "b"], ["m", "c"], ["n", "m"]])
    #expect(recipe.steps.map { $0.alpha?.alpha } == [0.3, 0.2, 0.1])
    #expect(recipe.steps.map { $0.output != nil } == [true, true, false])
    #expect(Set(recipe.models.map(\.name)) == ["a", "b", "c"])
    #expect(imported.notes.map(\.severity) == [.note, .note])
    // What is written can be read again.
    #expect(try Recipe(json: recipe.json) == recipe)
    #expect(try Recipe(yaml: recipe.yaml) == recipe)
  }

  @Test("our own recipes of ancestors come before those of other tools, with types and VAE")
  func own() throws {
    let yaml = """
      recipe: 1
      models: {m: {sha256: "\(hash("d"))"}, c: {sha256: "\(hash("c"))"}}
      steps: [{name: result, method: weighted-sum, models: [m, c]}]
      """
    let parent = """
      recipe: 1
      models: {m: {sha256: "\(hash("a"))"}, v: {sha256: "\(hash("b"))"}}
      output: {dtype: {all: f16, vae: f32}, vae: v, discard: x}
      policies: {unknown: drop}
      """
    let metadata = [
      "sdtool.recipe": try Recipe(yaml: yaml).json.serialized(),
      "sdtool.parents": "{\"\(hash("d"))\": \(try Recipe(yaml: parent).json.serialized())}",
      "sd_merge_models": models(["d": record("a", "a")], of: ["d"]),
    ]
    let recipe = try expanded(metadata, found: ["a", "b", "c"]).recipe
    #expect(recipe.steps.map(\.method) == ["copy", "weighted-sum"])
    let output = try #require(recipe.steps.first?.output)
    #expect(output.dtype == .f16 && output.componentTypes == [.vae: .f32])
    #expect(recipe.models.first { $0.name == output.vae }?.sha256 == hash("b"))
    #expect(output.discard == "x")
    #expect(recipe.steps.first?.policies?.unknown == .drop)
    #expect(recipe.steps.last?.inputs == ["m", "c"])
  }

  @Test("a model without a recipe, one that was made of itself, and a damaged one are refused")
  func refused() throws {
    let gone = [
      "sd_merge_recipe": record("m", "c"), "sd_merge_models": models([:], of: ["m", "c"]),
    ]
    let missing = fault { () throws(Fault) in
      let imported = try ImportedRecipe(metadata: gone)
      _ = try imported.expanded(by: RecipeAncestry(metadata: gone)) { $0 == hash("c") }
    }
    #expect(
      missing?.sentence
        == "was made from a model that is not there: expected m with SHA-256 \(hash("m")); "
        + "name the folder that holds it with --models")
    let circle = [
      "sd_merge_recipe": record("m", "c"),
      "sd_merge_models": models(
        ["m": record("n", "c"), "n": record("m", "c")], of: ["m", "n", "c"]),
    ]
    let turning = fault { () throws(Fault) in
      let imported = try ImportedRecipe(metadata: circle)
      _ = try imported.expanded(by: RecipeAncestry(metadata: circle)) { $0 == hash("c") }
    }
    #expect(turning?.sentence == "has an ancestor that was made of itself")
    let damaged = [
      "sd_merge_recipe": record("m", "c"),
      "sd_merge_models": models(["m": "{\"type\": \"webui\"}"], of: ["m", "c"]),
    ]
    let broken = fault { () throws(Fault) in
      let imported = try ImportedRecipe(metadata: damaged)
      _ = try imported.expanded(by: RecipeAncestry(metadata: damaged)) { $0 == hash("c") }
    }
    #expect(broken?.sentence.hasPrefix("the recipe of its input 'm' has no usable") == true)
  }

  @Test("an ancestry without end is refused, and soon")
  func endless() throws {
    // Each of 3000 models was made of the next one.
    func name(_ number: Int) -> String {
      String(repeating: "0", count: 56) + "\(10_000_000 + number)"
    }
    let entries = (0..<3000).map { number in
      "\"\(name(number))\": {\"sd_merge_recipe\": \(record("a", "b"))}"
        .replacing(hash("a"), with: name(number + 1))
    }
    let metadata = [
      "sd_merge_recipe": record("a", "b").replacing(hash("a"), with: name(0)),
      "sd_merge_models": "{" + entries.joined(separator: ", ") + "}",
    ]
    let endless = fault { () throws(Fault) in
      let imported = try ImportedRecipe(metadata: metadata)
      _ = try imported.expanded(by: RecipeAncestry(metadata: metadata)) { $0 == hash("b") }
    }
    #expect(endless?.sentence == "has too many ancestors: expected at most 1000")
  }

  @Test("a step that is stored rounds its result, one that is not does not")
  func rounding() throws {
    func merged(_ output: String) throws -> [Float16] {
      let yaml = """
        recipe: 1
        models: {A: a, B: b, C: c}
        steps:
          - {name: first, method: weighted-sum, models: [A, B], alpha: 0.3\(output)}
          - {name: second, method: weighted-sum, models: [first, C], alpha: 0.7}
        """
      let models = try (1...3).map { try EditedModel(seed: $0) }
      let plan = try RecipePlan(
        Recipe(yaml: yaml), models: ["A": models[0], "B": models[1], "C": models[2]], width: 1)
      return halves(try plan.result.bytes(of: outputWeight))
    }
    // The same with the first result in a model of its own, in one type or the other.
    func through(_ type: String) throws -> [Float16] {
      let models = try (1...3).map { try EditedModel(seed: $0) }
      let first = MergedSource(
        try plan([models[0], models[1]], alpha: .init(alpha: 0.3), types: [type]), width: 1)
      var file = models[0]
      file.tensors = first.tensors
      file.values = try first.tensors.indices.map { try first.bytes(of: $0) }
      let second = MergedSource(
        try plan([file, models[2]], alpha: .init(alpha: 0.7), types: ["f16"]), width: 1)
      return halves(try second.bytes(of: outputWeight))
    }
    let (stored, kept) = (try through("keep"), try through("f32"))
    #expect(stored != kept)
    #expect(try merged(", output: {}") == stored)
    #expect(try merged(", output: {dtype: {unet: f16}}") == stored)
    #expect(try merged("") == kept)
  }

  @Test("types of components are spelled as a map, and an unknown one is named")
  func types() throws {
    func read(_ output: String) throws(Fault) -> Recipe {
      try Recipe(yaml: "recipe: 1\nmodels: {A: a}\noutput: {dtype: \(output)}\n")
    }
    let recipe = try read("{all: bf16, clip: keep, vae: f32}")
    #expect(recipe.output.dtype == .bf16)
    #expect(recipe.output.componentTypes == [.textEncoder: nil, .vae: .f32])
    #expect(try Recipe(yaml: recipe.yaml) == recipe)
    #expect(recipe.yaml.contains("  dtype:\n    all: bf16\n    clip: keep\n    vae: f32\n"))
    #expect(try read("f16").yaml.contains("  dtype: f16\n"))
    for wrong in ["f8", "{uent: f16}", "{unet: int}", "[f16]"] {
      let fault = fault { () throws(Fault) in _ = try read(wrong) }
      #expect(fault?.rule == .recipeValue && fault?.message.contains("dtype") == true, "\(wrong)")
    }
  }
}

private let outputWeight: TensorName = "model.diffusion_model.out.2.weight"
