import JSON
import Merge
import StableDiffusion
import Tensors
import Testing

@Suite("Recipes")
struct RecipeTests {
  static let hash = String(repeating: "0123456789abcdef", count: 4)

  static let full = """
    # Everything that a recipe can say.
    recipe: 1
    dialect: chattiori
    models:
      anime: models/anime v2.safetensors
      real:
        path: real.safetensors
        sha256: \(hash)
      base: {sha256: \(hash)}
    steps:
      - name: mix
        method: weighted-sum
        models: [anime, real]
        alpha:
          mbw: GRAD_V..GRAD_A@0.3
          base: 0.2
          blocks:
            CLIP: 0.2
            IN03..IN05: 0.5
            VAE: keep
          elements:
            - OUT03-OUT05:attn2 attn1.to_out:0.5
            - NOT OUT04:attn:1
      - method: add-difference
        models: [mix, real, base]
        alpha: 1
        dialect: mbw
        arithmetic: webui
        seed: 18446744073709551615
    output:
      dtype: f16
      vae: base
      discard: ^model_ema
    policies: {conv-in: error, unknown: drop, missing: error, overflow: keep-f32, non-finite: allow}
    """

  @Test("all that a recipe can say is read")
  func reading() throws {
    let recipe = try Recipe(yaml: Self.full)
    #expect(recipe.models.map(\.name) == ["anime", "real", "base"])
    #expect(recipe.models.map(\.path) == ["models/anime v2.safetensors", "real.safetensors", nil])
    #expect(recipe.models.map(\.sha256) == [nil, Self.hash, Self.hash])
    #expect(recipe.steps.map(\.name) == ["mix", "step-2"])
    #expect(recipe.steps.map(\.dialect) == [.chattiori, .mbw])
    #expect(recipe.steps.map(\.arithmetic) == [.exact, .webui])
    #expect(recipe.steps.map(\.seed) == [0, .max])
    #expect(recipe.result == "step-2")
    let alpha = try #require(recipe.steps.first?.alpha)
    #expect(alpha.blocks == (try BlockWeights("GRAD_V..GRAD_A@0.3")))
    #expect(alpha.baseAlpha == 0.2)
    #expect(alpha.settings.map(\.description) == ["CLIP=0.2", "IN03..IN05=0.5", "VAE=keep"])
    #expect(alpha.elements.rules.count == 2)
    #expect(recipe.output.dtype == .f16)
    #expect(recipe.output.vae == "base")
    #expect(recipe.output.discard == "^model_ema")
    #expect(recipe.policies.convIn == .error)
    #expect(recipe.policies.overflow == .keepF32)
    #expect(recipe.policies.allowsNonFinite)
  }

  @Test("writing gives one canonical text, which reads back as the same recipe")
  func writing() throws {
    let recipe = try Recipe(yaml: Self.full)
    #expect(
      recipe.yaml == """
        recipe: 1
        models:
          anime: "models/anime v2.safetensors"
          real:
            path: real.safetensors
            sha256: "\(Self.hash)"
          base:
            sha256: "\(Self.hash)"
        steps:
          - name: mix
            method: weighted-sum
            models: [anime, real]
            alpha:
              mbw: "GRAD_V..GRAD_A@0.3"
              base: 0.2
              blocks:
                CLIP: 0.2
                IN03..IN05: 0.5
                VAE: keep
              elements: ["OUT03-OUT05:attn2 attn1.to_out:0.5", "NOT OUT04:attn:1"]
            dialect: chattiori
          - name: step-2
            method: add-difference
            models: [mix, real, base]
            alpha: 1
            arithmetic: webui
            seed: 18446744073709551615
        output:
          dtype: f16
          vae: base
          discard: "^model_ema"
        policies:
          conv-in: error
          unknown: drop
          missing: error
          overflow: keep-f32
          non-finite: allow

        """)
    #expect(try Recipe(yaml: recipe.yaml) == recipe)
    #expect(try Recipe(json: recipe.json) == recipe)
    #expect(try Recipe(json: try JSONValue(parsing: try recipe.json.serialized())) == recipe)
    #expect(try Recipe(yaml: try recipe.json.serialized()) == recipe)
  }

  @Test(
    "paths with quotes, line breaks and any letters survive YAML and JSON",
    arguments: [
      "a \"b\" \\ c", "line\nbreak\ttab", "模型 😀.safetensors", "# no comment", "- x", "null", "1",
      "", "a: b", "*star", "\u{85}\u{2028}\u{FEFF}\u{1}", "'", "C:\\models\\a.ckpt", "true",
    ])
  func paths(path: String) throws {
    let recipe = Recipe(models: [.init("a", path: path)], steps: [])
    #expect(try Recipe(yaml: recipe.yaml).models.first?.path == path)
    #expect(try Recipe(json: recipe.json) == recipe)
  }

  @Test("a preset of a file is written as numbers, since nobody else knows it")
  func ownPreset() throws {
    var library = PresetLibrary.classic
    let mine = try BlockWeights("0.5," + Array(repeating: "0.1", count: 25).joined(separator: ","))
    library.add(Preset("MINE", mine))
    library.add(Preset("GRAD_V", mine))
    for name in ["MINE", "GRAD_V"] {
      let text = """
        recipe: 1
        models: {a: a, b: b}
        steps: [{method: weighted-sum, models: [a, b], alpha: {mbw: \(name)}}]
        """
      let recipe = try Recipe(yaml: text, presets: library)
      let copy = try Recipe(yaml: recipe.yaml)
      #expect(copy.steps.first?.alpha?.blocks == mine)
      #expect(recipe.yaml.contains("mbw: \"0.5,0.1,0.1,"))
    }
  }

  @Test("base alpha over a preset of a file stays unambiguous")
  func ownPresetWithBase() throws {
    var library = PresetLibrary()
    let list = "0.5," + Array(repeating: "0.1", count: 25).joined(separator: ",")
    library.add(Preset("MINE", try BlockWeights(list)))
    let text = """
      recipe: 1
      models: {a: a, b: b}
      steps: [{method: weighted-sum, models: [a, b], alpha: {mbw: MINE, base: 0.9}}]
      """
    let copy = try Recipe(yaml: try Recipe(yaml: text, presets: library).yaml)
    let places = try copy.steps.first?.alpha?.resolved(in: .mbw).places
    #expect(places?[.clip] == .weight(0.9))
  }

  @Test("the same places set twice, and ComfyUI's sliders, survive")
  func odd() throws {
    let sliders = (0..<30).map { (14...16).contains($0) ? "0.5" : "\($0)" }.joined(separator: ",")
    var step = Recipe.Step("s", method: "weighted-sum", inputs: ["a", "b"])
    step.alpha = WeightSpecification(
      blocks: try BlockWeights(sliders),
      settings: [try PlaceSetting("IN00=1"), try PlaceSetting("IN00=0.5")])
    step.dialect = .comfyui
    let recipe = Recipe(models: [.init("a", path: "a"), .init("b", path: "b")], steps: [step])
    #expect(try Recipe(yaml: recipe.yaml) == recipe)
  }

  private static let faultCases: [(text: String, sentence: String)] = [
    ("", "is empty: expected a recipe"),
    ("recipe: 1\nmodels: ]\nsteps: 1", "line 2: is not valid YAML"),
    (
      "recipe: 1\nmodels: {a: a}\nrecipe: 1",
      "line 1: has a map with a repeated key: found 'recipe'"
    ),
    (
      "recipe: 2\nmodels: {a: a}",
      "line 1: has another version than this tool reads: expected recipe: 1, found '2'"
    ),
    ("models: {a: a}", "line 1: the recipe lacks 'recipe'"),
    (
      "recipe: 1\nmodels:\n- a",
      "line 2: 'models' is not a map: expected names and paths, found a list; for example 'a: first.safetensors'"
    ),
    (
      "recipe: 1\nmodels: {a: a}\n\nstepz: 1",
      "line 4: the recipe has the unknown key 'stepz': expected recipe, dialect, arithmetic, seed, models, steps, result, output, policies; did you mean 'steps'?"
    ),
    (
      "recipe: 1\nmodels:\n  a:\n    sha256: abc",
      "model 'a' has no SHA-256: expected 64 lower-case hexadecimal digits, found 'abc'"
    ),
    (
      "recipe: 1\nmodels:\n  a b: x",
      "has a name that is not allowed: expected letters, digits, '.', '-', '_', found 'a b'"
    ),
    (
      "recipe: 1\nmodels: &m {a: a}",
      "line 2: has an anchor or alias, which recipes cannot have: found 'models: &m {a: a}'; write the value out, or put it in quotes"
    ),
    (
      "recipe: 1\nmodels: {a: a}\noutput: {dtype: f17}",
      "line 3: 'dtype' is unknown: expected keep, f32, f16, bf16, found 'f17'"
    ),
    (
      "recipe: 1\nmodels: {a: a}\npolicies: {overflow: clmp}",
      "line 3: 'overflow' is unknown: expected error, clamp, keep-f32, found 'clmp'; did you mean 'clamp'?"
    ),
    ("recipe: 1\nmodels: {a: a}\nresult: b", "the result uses 'b', which is not defined"),
  ]

  @Test("faults name line, key, expectation and remedy", arguments: faultCases.indices)
  func faults(index: Int) {
    let (text, sentence) = Self.faultCases[index]
    let found = fault { () throws(Fault) in _ = try Recipe(yaml: text) }?.sentence
    #expect(found?.hasPrefix(sentence) == true, "\(found ?? "")")
  }

  private static let stepFaultCases: [(step: String, sentence: String)] = [
    ("{models: [a, b]}", "line 4: step 1 lacks 'method'"),
    ("{method: weighted-sum, models: [a, c]}", "step 'step-1' uses 'c', which is not defined"),
    ("{name: a, method: weighted-sum, models: [a, b]}", "defines 'a' twice"),
    (
      "{method: weihgted-sum, models: [a, b]}",
      "step 'step-1': there is no merge method 'weihgted-sum'; did you mean 'weighted-sum'?"
    ),
    (
      "{method: weighted-sum, models: [a]}",
      "step 'step-1': method weighted-sum got the wrong number of models: expected 2, found 1"
    ),
    (
      "{method: weighted-sum, models: [a, b], beta: 1}",
      "step 'step-1': method weighted-sum takes no beta: expected alpha"
    ),
    (
      "{method: weighted-sum, models: [a, b], alpha: x}",
      "line 4: has no number at 'alpha': expected a weight such as 0.25, found 'x'"
    ),
    (
      "{method: weighted-sum, models: [a, b], alpha: {mbw: GRADV}}",
      "line 4: has no preset called 'GRADV'; did you mean 'GRAD_V'?"
    ),
    (
      "{method: weighted-sum, models: [a, b], alpha: {mbw: [1, 2]}}",
      "line 4: has the wrong number of block weights: expected 25 (IN00 to OUT11) or 26 (BASE first), found 2 values"
    ),
    (
      "{method: weighted-sum, models: [a, b], alpha: {blocks: {IN12: 1}}}",
      "line 4: has no place called 'IN12'"
    ),
    (
      "{method: weighted-sum, models: [a, b], alpha: {elements: ['a:1']}}",
      "line 4: has an elemental rule 1 (line 1, column 1) that has 1 colon"
    ),
    (
      "{method: weighted-sum, models: [a, b], dialect: mwb}",
      "line 4: has no dialect called 'mwb': expected mbw, supermerger-2023"
    ),
    (
      "{method: weighted-sum, models: [a, b], seed: -1}",
      "line 4: 'seed' is not a number: expected 0 to 18446744073709551615, found '-1'"
    ),
    (
      "{lora: x.safetensors, models: [a, b]}",
      "step 'step-1': merges LoRAs into one model: found 2 models"
    ),
    (
      "{lora: x.safetensors, models: [a], alpha: 0.5}",
      "step 'step-1': merges LoRAs and takes no method and no weights; strengths stand after the LoRAs: style.safetensors:0.8"
    ),
    (
      "{lora: 'x.safetensors:lbw=OUTDD', models: [a]}",
      "step 'step-1': there is no preset of block weights called 'OUTDD'; did you mean OUTD?"
    ),
    ("{method: weighted-sum, models: [a, b], lor: 1}", "line 4: step 1 has the unknown key 'lor'"),
  ]

  @Test("faults of steps name the step", arguments: stepFaultCases.indices)
  func stepFaults(index: Int) {
    let (step, sentence) = Self.stepFaultCases[index]
    let text = "recipe: 1\nmodels: {a: a, b: b}\nsteps:\n  - \(step)"
    let found = fault { () throws(Fault) in _ = try Recipe(yaml: text) }?.sentence
    #expect(found?.hasPrefix(sentence) == true, "\(found ?? "")")
  }

  @Test("a step that takes a later one, or has no effect, is refused")
  func order() {
    let later = """
      recipe: 1
      models: {a: a, b: b}
      steps:
        - {name: x, method: weighted-sum, models: [a, y]}
        - {name: y, method: weighted-sum, models: [a, b]}
      """
    #expect(
      fault { () throws(Fault) in _ = try Recipe(yaml: later) }?.sentence
        == "step 'x' uses 'y', which is not defined; a step of this name comes later: change the order"
    )
    let unused = later.replacing("[a, y]", with: "[a, b]")
    #expect(
      fault { () throws(Fault) in _ = try Recipe(yaml: unused) }?.sentence
        == "step 'x' has no effect; use it in a later step, or name it as the result")
  }

  @Test("a weight of a single place outside the method's range is refused")
  func placeRange() {
    let text = """
      recipe: 1
      models: {a: a, b: b, c: c}
      steps: [{method: extract, models: [a, b, c], alpha: {value: 0.5, blocks: {IN05: 1.5}}}]
      """
    let fault = fault { () throws(Fault) in _ = try Recipe(yaml: text) }
    #expect(fault?.rule == .mergeParameter)
    #expect(fault?.found == "1.5")
  }

  @Test("a lock fills in the hashes that are missing")
  func lock() throws {
    let recipe = try Recipe(yaml: "recipe: 1\nmodels: {a: x.ckpt, b: {sha256: \(Self.hash)}}")
    let locked = try recipe.locked { model throws(Fault) in
      #expect(model.path == "x.ckpt")
      return String(repeating: "a", count: 64)
    }
    #expect(locked.models.map(\.sha256) == [String(repeating: "a", count: 64), Self.hash])
    #expect(fault { () throws(Fault) in _ = try recipe.locked { _ in "A" } }?.rule == .recipeValue)
  }

  @Test(
    "deep, wide and self-referring texts end in a fault",
    arguments: [
      String(repeating: "[", count: 100_000), String(repeating: "- ", count: 100_000),
      String(repeating: "{a: ", count: 100_000), String(repeating: "? ", count: 100_000),
      (0..<5000).map { String(repeating: " ", count: $0 % 200) + "a:" }.joined(separator: "\n"),
      "a: &x [1]\nb: *x", String(repeating: "a", count: 1 << 21), "\u{0}", "--- 1\n--- 2",
      "recipe: !!binary x",
    ])
  func hostile(text: String) {
    #expect(fault { () throws(Fault) in _ = try Recipe(yaml: text) } != nil)
  }
}
