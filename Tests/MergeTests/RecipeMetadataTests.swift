import JSON
import Merge
import StableDiffusion
import Tensors
import TestSupport
import Testing

private func hash(_ letter: String) -> String { String(repeating: letter, count: 64) }

@Suite("Metadata of merged files")
struct RecipeMetadataTests {
  /// What Python's json module writes: case, key, text.
  private let expected: [String: [String: String]] = {
    let text = String(decoding: contents(of: Fixtures.path("webui/expected.tsv")), as: UTF8.self)
    var cases: [String: [String: String]] = [:]
    for line in text.split(separator: "\n") {
      let cells = line.split(separator: "\t", maxSplits: 2).map(String.init)
      guard cells.count == 3 else { continue }
      cases[cells[0], default: [:]][cells[1]] = cells[2]
    }
    return cases
  }()

  private let a = MergeParent(
    model: "a", fileName: "anime é 😀.safetensors", sha256: hash("a"), legacyHash: "01234567")
  private let b = MergeParent(
    model: "b", fileName: "folder \"x\"\\real.ckpt", sha256: hash("b"), legacyHash: "89abcdef")

  private func recipe(_ method: String, _ inputs: [String], alpha: Double) -> Recipe {
    var step = Recipe.Step("merge", method: method, inputs: inputs)
    step.alpha = WeightSpecification(alpha: alpha)
    return Recipe(models: inputs.map { .init($0, path: $0) }, steps: [step])
  }

  private func entries(_ recipe: Recipe, _ parents: [MergeParent]) throws -> [String: String] {
    let metadata = try MergeMetadata(recipe: recipe, parents: parents)
    let entries = try metadata.entries(title: "T", toolVersion: "1.0")
    #expect(entries.map(\.key) == entries.map(\.key).sorted())
    return Dictionary(uniqueKeysWithValues: entries)
  }

  private func expectWebUI(_ name: String, _ entries: [String: String]) throws {
    let texts = try #require(expected[name])
    #expect(texts.count == 2)
    for (key, text) in texts { #expect(entries[key] == text, "\(name) \(key)") }
  }

  @Test("sd_merge_recipe and sd_merge_models are the web UI's, byte for byte")
  func webUI() throws {
    var first = recipe("weighted-sum", ["a", "b"], alpha: 0.3)
    first.output.dtype = .f16
    first.output.discard = "model_ema|^x\\.模\t"
    try expectWebUI("first", try entries(first, [a, b]))

    let merged = MergeParent(
      model: "m", fileName: "merged.safetensors", sha256: hash("d"), legacyHash: "00000000",
      metadata: try #require(expected["first"]))
    let odd =
      #"{"numbers": [0.10, 1E-5, 1e16, 1.0, -0.0, 1e22, 123456789012345680.0, 5e-324, 7, -3, 0.0001],"#
      + #" "nested": {"\u00e9\ud83d\ude00/": [true, false, null, [], {}, "\u007f\b\f\n\r\t"]}}"#
    let models =
      "{\"\(hash("d"))\": {\"name\": \"other\"}, \"\(hash("e"))\": {\"name\": \"e\", \"x\": 0.5}}"
    let c = MergeParent(
      model: "c", fileName: "c.safetensors", sha256: hash("c"), legacyHash: "ffffffff",
      metadata: ["sd_merge_recipe": odd, "sd_merge_models": models])
    let second = recipe("add-difference", ["m", "b", "c"], alpha: 1)
    try expectWebUI("second", try entries(second, [c, b, merged]))
  }

  @Test("metadata of a parent that is no JSON is passed on as text")
  func brokenParent() throws {
    let c = MergeParent(
      model: "c", fileName: "c.safetensors", sha256: hash("c"), legacyHash: "ffffffff",
      metadata: ["sd_merge_recipe": "{broken", "sd_merge_models": "not an object"])
    let metadata = try MergeMetadata(
      recipe: Recipe(models: [.init("c", path: "c")], steps: []), parents: [c])
    var record = metadata.record
    record.vae = "b.pt"
    #expect(record.method == "No interpolation")
    var changed = metadata
    changed.record = record
    let entries = Dictionary(
      uniqueKeysWithValues: try changed.entries(title: "", toolVersion: ""))
    try expectWebUI("third", entries)
  }

  @Test("our recipe names files by name and hash, without folders")
  func ownRecipe() throws {
    var own = recipe("weighted-sum", ["a", "b"], alpha: 0.3)
    own.models[0].path = "/home/someone/secret/anime.safetensors"
    let entries = try entries(own, [a, b])
    let text = try #require(entries["sdtool.recipe"])
    #expect(!text.contains("secret"))
    let imported = try ImportedRecipe(metadata: entries)
    #expect(imported.tool == "sdtool")
    #expect(imported.recipe.models.map(\.sha256) == [hash("a"), hash("b")])
    #expect(imported.recipe.models.map(\.path) == [a.fileName, b.fileName])
    #expect(imported.recipe.steps == own.steps)
  }

  @Test("what the web UI cannot do is recorded under our name")
  func blockWeighted() throws {
    var own = recipe("weighted-sum", ["a", "b"], alpha: 0)
    own.steps[0].alpha = WeightSpecification(blocks: try BlockWeights("GRAD_V"))
    let entries = try entries(own, [a, b])
    let record = try JSONValue(parsing: try #require(entries["sd_merge_recipe"]))
    #expect(record["type"]?.string == "sdtool")
    #expect(record["interp_method"]?.string == "weighted-sum")
    #expect(record["multiplier"] == .null)
    #expect(record["secondary_model_hash"]?.string == hash("b"))
  }

  @Test("the model specification's required entries are there, the date only if given")
  func modelSpecification() throws {
    var metadata = try MergeMetadata(
      recipe: recipe("weighted-sum", ["a", "b"], alpha: 0.3), parents: [a, b])
    func specification() throws -> [String: String] {
      Dictionary(uniqueKeysWithValues: try metadata.entries(title: "T", toolVersion: "1"))
        .filter { $0.key.hasPrefix("modelspec.") }
    }
    #expect(
      try specification() == [
        "modelspec.sai_model_spec": "1.0.1", "modelspec.architecture": "stable-diffusion-v1",
        "modelspec.implementation": "https://github.com/Stability-AI/generative-models",
        "modelspec.title": "T", "modelspec.resolution": "512x512",
        "modelspec.merged_from":
          "\(a.fileName) (sha256 \(a.sha256)), \(b.fileName) (sha256 \(b.sha256))",
      ])
    metadata.date = "2024-05-01"
    #expect(try specification()["modelspec.date"] == "2024-05-01")
  }

  @Test("a model without a file is refused")
  func missingParent() {
    let recipe = recipe("weighted-sum", ["a", "b"], alpha: 0.3)
    let fault = fault { () throws(Fault) in _ = try MergeMetadata(recipe: recipe, parents: [a]) }
    #expect(fault?.sentence == "has no file for the model 'b'")
  }
}

@Suite("Recipes of other tools")
struct ForeignRecipeTests {
  private let models = """
    {"\(hash("a"))": {"name": "sd/Any Thing-v3.ckpt", "legacy_hash": "1", "sd_merge_recipe": null}, \
    "\(hash("b"))": {"name": "模.safetensors", "legacy_hash": "2", "sd_merge_recipe": null}}
    """

  private func read(_ record: String) throws -> ImportedRecipe {
    try ImportedRecipe(metadata: ["sd_merge_recipe": record, "sd_merge_models": models])
  }

  private func sentence(_ metadata: [String: String]) -> String? {
    fault { () throws(Fault) in _ = try ImportedRecipe(metadata: metadata) }?.sentence
  }

  @Test("a weighted sum of the web UI")
  func weightedSum() throws {
    let imported = try read(
      """
      {"type": "webui", "primary_model_hash": "\(hash("a"))", "secondary_model_hash": \
      "\(hash("b"))", "tertiary_model_hash": null, "interp_method": "Weighted sum", "multiplier": \
      0.3, "save_as_half": true, "custom_name": "", "config_source": 0, "bake_in_vae": "None", \
      "discard_weights": "model_ema", "is_inpainting": false, "is_instruct_pix2pix": false}
      """)
    #expect(imported.tool == "AUTOMATIC1111")
    #expect(imported.notes.isEmpty)
    #expect(
      imported.recipe.yaml == """
        recipe: 1
        models:
          Any_Thing-v3:
            sha256: \(hash("a"))
          secondary_model_hash:
            sha256: \(hash("b"))
        steps:
          - name: merge
            method: weighted-sum
            models: [Any_Thing-v3, secondary_model_hash]
            alpha: 0.3
            arithmetic: webui
        output:
          dtype: f16
          discard: model_ema
        policies:
          unknown: merge

        """)
  }

  @Test("an add difference with a model twice, and a baked VAE that is noted")
  func addDifference() throws {
    let imported = try read(
      """
      {"type": "webui", "primary_model_hash": "\(hash("a"))", "secondary_model_hash": \
      "\(hash("b"))", "tertiary_model_hash": "\(hash("a"))", "interp_method": "Add difference", \
      "multiplier": 1, "save_as_half": false, "bake_in_vae": "kl.ckpt"}
      """)
    #expect(imported.recipe.models.count == 2)
    #expect(imported.recipe.steps.first?.inputs.last == "Any_Thing-v3")
    #expect(imported.recipe.steps.first?.alpha?.alpha == 1)
    #expect(
      imported.notes.map(\.sentence) == [
        "was given the VAE 'kl.ckpt', whose hash is not recorded; bake it in again with --vae"
      ])
  }

  @Test("no interpolation is a recipe without steps")
  func noInterpolation() throws {
    let imported = try read(
      """
      {"type": "webui", "primary_model_hash": "\(hash("a"))", "secondary_model_hash": null, \
      "tertiary_model_hash": null, "interp_method": "No interpolation", "multiplier": 0.3}
      """)
    #expect(imported.recipe.steps.isEmpty)
    #expect(imported.recipe.result == "Any_Thing-v3")
  }

  private func superMerger(
    mode: String = "Weight sum", calculation: String = "normal", mbw: Bool = true,
    elements: String = "\"\"", rest: String = ", \"Off\": [\"\"]"
  ) throws -> ImportedRecipe {
    let weights = (1...25).map { "0.\($0)" }.joined(separator: ", ")
    return try read(
      """
      {"type": "sd-webui-supermerger", "weights_alpha": \(mbw ? "[\(weights)]" : "null"), \
      "weights_beta": \(mbw ? "\"\"" : "null"), "weights_alpha_orig": "0.5,\(weights)", \
      "weights_beta_orig": "", "model_a": "\(hash("a"))", "model_b": "\(hash("b"))", "model_c": \
      "\(hash("a"))", "base_alpha": 0.5, "base_beta": 0.25, "mode": "\(mode)", "mbw": \(mbw), \
      "elemental_merge": \(elements), "calcmode": "\(calculation)"\(rest)}
      """)
  }

  @Test("a block-weighted sum of SuperMerger, in its dialect and arithmetic")
  func superMergerBlocks() throws {
    let imported = try superMerger(
      elements: "[\"OUT03-OUT05:attn2:0.5\", \"no rule\", \"NOT OUT04:attn:1\"]")
    let step = try #require(imported.recipe.steps.first)
    #expect(step.method == "weighted-sum")
    #expect(step.inputs.count == 2)
    #expect(step.dialect == .supermerger2023)
    #expect(step.arithmetic == .lerp)
    let weights = try #require(try step.alpha?.resolved(in: step.dialect))
    #expect(weights.places[.clip] == .weight(0.5))
    #expect(weights.places[.in00] == .weight(0.1))
    #expect(weights.places[.time] == .weight(0.25))
    #expect(
      weights.weight(for: "model.diffusion_model.output_blocks.5.1.attn2.x", at: .out05)
        == .weight(1))
    #expect(
      imported.notes.map(\.sentence) == [
        "was merged by SuperMerger, which records neither seed, precision, Adjust nor a baked VAE",
        "has an elemental rule without two colons, which SuperMerger ignored: 'no rule'",
      ])
  }

  @Test("a record that may be older than the change of the time embedding is noted")
  func oldSuperMerger() throws {
    let imported = try superMerger(rest: "")
    #expect(imported.notes.last?.hint == "choose the dialect mbw in that case")
  }

  @Test("SuperMerger without block weights takes alpha for everything")
  func superMergerScalar() throws {
    let imported = try superMerger(mode: "Add difference:A+(B-C)*alpha", mbw: false)
    let step = try #require(imported.recipe.steps.first)
    #expect(step.method == "add-difference")
    #expect(step.inputs == ["Any_Thing-v3", "model_b", "Any_Thing-v3"])
    #expect(step.alpha == WeightSpecification(alpha: 0.5))
  }

  @Test(
    "each of SuperMerger's methods that we have is found",
    arguments: [
      ("Weight sum:A*(1-alpha)+B*alpha", "normal", "weighted-sum"),
      ("Add", "normal", "add-difference"),
      ("Triple sum:A*(1-alpha-beta)+B*alpha+C*beta", "normal", "triple-sum"),
      ("sum Twice:(A*(1-alpha)+B*alpha)*(1-beta)+C*beta", "normal", "sum-twice"),
      ("Weight sum", "cosineA", "cosine-a"), ("Weight sum", "cosineB", "cosine-b"),
      ("Add", "trainDifference", "train-difference"), ("Add", "smoothAdd MT", "smooth-add"),
      ("Add", "extract", "extract"), ("Weight sum", "tensor", "tensor-sum"),
      ("Weight sum", "tensor2", "tensor-sum-columns"),
    ])
  func superMergerMethods(mode: String, calculation: String, method: String) throws {
    let step = try #require(
      try superMerger(mode: mode, calculation: calculation, mbw: false).recipe.steps.first)
    #expect(step.method == method)
    #expect(
      (step.beta != nil)
        == ["triple-sum", "sum-twice", "extract", "tensor-sum", "tensor-sum-columns"].contains(
          method))
  }

  @Test("what SuperMerger did and we do not is refused")
  func superMergerUnsupported() {
    #expect(throws: Fault.self) { try superMerger(calculation: "plus random") }
    #expect(throws: Fault.self) { try superMerger(rest: ", \"Exclude\": [\"IN00\", \"\"]") }
  }

  private func chattiori(_ alpha: String, method: String = "Weighted Sum") throws -> ImportedRecipe
  {
    try read(
      """
      {"type": "merge-models-chattiori", "primary_model_hash": "\(hash("a"))", \
      "secondary_model_hash": "\(hash("b"))", "tertiary_model_hash": null, "merge_method": \
      "\(method)", "block_weights": true, "alpha_info": "\(alpha)", "beta_info": null, \
      "calculation": null, "fp": "fp16", "output_name": "x", "bake_in_vae": false, "pruned": true}
      """)
  }

  @Test("Chattiori's merger writes one number, or weights and rules in brackets")
  func chattioriWeights() throws {
    let scalar = try chattiori("0.35")
    #expect(scalar.recipe.steps.first?.alpha == WeightSpecification(alpha: 0.35))
    #expect(scalar.recipe.steps.first?.dialect == .chattiori)
    #expect(scalar.recipe.output.dtype == .f16)
    let numbers = (1...25).map { "0.\($0)" }.joined(separator: ", ")
    let blocks = try chattiori("preset:[MINE],0.5,[[\(numbers)],[OUT04:attn:1.0]]")
    let alpha = try #require(blocks.recipe.steps.first?.alpha)
    #expect(alpha.blocks?.base == 0.5)
    #expect(alpha.blocks?[.in01] == 0.2)
    #expect(alpha.elements.text == "OUT04:attn:1")
    #expect(throws: Fault.self) { try chattiori("0.5,[[0.1, 0.2],[]]") }
    #expect(throws: Fault.self) { try chattiori("0.5", method: "Geometric Sum") }
  }

  @Test(
    "each of Chattiori's methods that we have is found",
    arguments: [
      ("Weighted Sum", "weighted-sum"), ("Add Difference", "add-difference"),
      ("Multiply Difference", "multiply-difference"),
      ("Similarity Add Difference", "similarity-add-difference"), ("Triple Sum", "triple-sum"),
      ("Sum Twice", "sum-twice"), ("smooth Add Difference", "smooth-add"),
      ("Train Difference", "train-difference"), ("Tensor Sum", "tensor-sum"),
    ])
  func chattioriMethods(name: String, method: String) throws {
    let imported = try read(
      """
      {"type": "merge-models-chattiori", "primary_model_hash": "\(hash("a"))", \
      "secondary_model_hash": "\(hash("b"))", "tertiary_model_hash": "\(hash("c"))", \
      "merge_method": "\(name)", "alpha_info": "0.5", "beta_info": "0.25", "save_as_half": true}
      """)
    #expect(imported.recipe.steps.first?.method == method)
  }

  @Test("files without a recipe, or with a damaged one, are refused")
  func absent() {
    #expect(sentence(["format": "pt"]) == "has no merge recipe in its metadata")
    #expect(
      sentence(["mecha_recipe": "x"])
        == "has no merge recipe in its metadata; it has one of sd-mecha, which records paths "
        + "instead of hashes")
    #expect(
      sentence(["sd_merge_recipe": "{"])?.hasPrefix("metadata 'sd_merge_recipe' is not valid")
        == true)
    #expect(
      sentence(["sd_merge_recipe": "{\"type\": \"SDNext\"}"])
        == "has a recipe of an unknown tool: expected webui, sd-webui-supermerger or "
        + "merge-models-chattiori, found 'SDNext'")
    #expect(
      sentence(["sd_merge_recipe": "{\"type\": \"webui\", \"interp_method\": \"Weighted sum\"}"])
        == "has no usable 'primary_model_hash' in its recipe: expected text, found nothing")
    #expect(
      sentence([
        "sd_merge_recipe":
          "{\"type\": \"webui\", \"interp_method\": \"No interpolation\", \"primary_model_hash\": \"12\"}"
      ])
        == "has no SHA-256 in 'primary_model_hash' of its recipe: expected 64 hexadecimal digits, "
        + "found '12'")
    #expect(sentence(["sdtool.recipe": "{}"]) == "the recipe lacks 'recipe'")
  }
}
