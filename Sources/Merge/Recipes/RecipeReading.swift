public import JSON
import LoRA
import StableDiffusion
public import Tensors

extension Recipe {
  /// Reads a recipe that a person wrote.
  ///
  /// - Parameters:
  ///   - text: a YAML document; JSON is one too.
  ///   - presets: what names of presets in it stand for.
  /// - Throws: ``Tensors/Rule/recipeSyntax`` and others of ``Tensors/Rule/recipeRules``, with the
  ///   line.
  public init(yaml text: String, presets: PresetLibrary = .classic) throws(Fault) {
    try self.init(try RecipeNode(yaml: text), presets: presets)
  }

  /// Reads a recipe out of JSON, as ``json`` makes it.
  ///
  /// - Throws: the faults of ``init(yaml:presets:)``, without lines.
  public init(json value: JSONValue) throws(Fault) {
    try self.init(RecipeNode(value), presets: .classic)
  }

  private init(_ node: RecipeNode, presets: PresetLibrary) throws(Fault) {
    var fields = try RecipeFields(node, of: "the recipe")
    let version = try fields.require("recipe")
    guard try version.text("the recipe's version") == "\(Self.version)" else {
      throw version.located(
        Fault(
          .recipeUnsupported, "has another version than this tool reads",
          expected: "recipe: \(Self.version)", found: version.kind))
    }
    let defaults = try StepDefaults(&fields)
    models = try Self.models(try fields.require("models"))
    steps = []
    for (index, step) in (try fields.take("steps")?.elements("'steps'") ?? []).enumerated() {
      let position = index + 1
      steps.append(
        try step.reading { () throws(Fault) in
          try Step(step, position: position, defaults: defaults, presets: presets)
        })
    }
    result =
      try fields.take("result")?.text("'result'") ?? steps.last?.name ?? models.first?.name ?? ""
    if let node = fields.take("output") { output = try Output(node) }
    if let node = fields.take("policies") { policies = try MergePolicies(node) }
    try fields.finish()
    self = try namingLoRAs().checked()
  }

  private static func models(_ node: RecipeNode) throws(Fault) -> [Model] {
    guard case .map(let members) = node.content else {
      throw node.located(
        Fault(
          .recipeValue, "'models' is not a map", expected: "names and paths", found: node.kind,
          hint: "for example 'a: first.safetensors'"))
    }
    var models: [Model] = []
    for (name, value) in members {
      if case .scalar(let path) = value.content {
        models.append(Model(name, path: path))
        continue
      }
      let subject = "model '\(shortened(name))'"
      var fields = try RecipeFields(value, of: subject)
      models.append(
        Model(
          name, path: try fields.take("path")?.text("the path of \(subject)"),
          sha256: try fields.take("sha256")?.text("the sha256 of \(subject)")))
      try fields.finish()
    }
    return models
  }
}

/// What steps take unless they say otherwise.
private struct StepDefaults {
  var dialect = Dialect.mbw
  var arithmetic = Arithmetic.exact
  var seed: UInt64 = 0

  init(_ fields: inout RecipeFields) throws(Fault) { try read(&fields) }

  /// Takes what `fields` say.
  mutating func read(_ fields: inout RecipeFields) throws(Fault) {
    if let node = fields.take("dialect") {
      let name = try node.text("'dialect'")
      dialect = try node.reading { () throws(Fault) in try Dialect(named: name) }
    }
    if let node = fields.take("arithmetic") {
      arithmetic = try node.choice(Arithmetic.self, "'arithmetic'")
    }
    if let node = fields.take("seed") {
      let text = try node.text("'seed'")
      guard let number = UInt64(text) else {
        throw node.located(
          Fault(
            .recipeValue, "'seed' is not a number", expected: "0 to \(UInt64.max)",
            found: "'\(shortened(text))'"))
      }
      seed = number
    }
  }
}

extension Recipe.Step {
  fileprivate init(
    _ node: RecipeNode, position: Int, defaults: StepDefaults, presets: PresetLibrary
  ) throws(Fault) {
    var fields = try RecipeFields(node, of: "step \(position)")
    let name = try fields.take("name")?.text("the name of step \(position)") ?? "step-\(position)"
    let subject = "step '\(shortened(name))'"
    var loras: [String] = []
    var loraPolicies = LoRAPolicies()
    if let node = fields.take("lora") {
      loraPolicies = try LoRAPolicies(&fields)
      let folder = try fields.take("lora-dir")?.text("'lora-dir'")
      for element in node.oneOrMore() {
        let text = try element.text("a LoRA of \(subject)")
        loras.append(
          try element.reading { () throws(Fault) in try Recipe.locatingLoRA(text, in: folder) })
      }
      guard !loras.isEmpty else {
        throw node.located(
          Fault(
            .recipeValue, "'lora' of \(subject) names no LoRA",
            expected: "paths with strengths, like style.safetensors:0.8"))
      }
    }
    let method =
      loras.isEmpty
      ? try fields.require("method").text("the method of \(subject)") : Self.loraMethod
    var inputs: [String] = []
    for input in try fields.require("models").elements("'models' of \(subject)") {
      inputs.append(try input.text("a model of \(subject)"))
    }
    self.init(name, method: method, inputs: inputs)
    self.loras = loras
    self.loraPolicies = loraPolicies
    if let node = fields.take("alpha") {
      alpha = try WeightSpecification(node, named: "alpha", presets: presets)
    }
    if let node = fields.take("beta") {
      beta = try WeightSpecification(node, named: "beta", presets: presets)
    }
    gamma = try fields.take("gamma")?.number("'gamma'")
    density = try fields.take("density")?.number("'density'")
    epsilon = try fields.take("epsilon")?.number("'epsilon'")
    if let list = fields.take("weights") {
      for weight in try list.elements("'weights'") {
        weights.append(try weight.number("'weights'"))
      }
    }
    var own = defaults
    try own.read(&fields)
    (dialect, arithmetic, seed) = (own.dialect, own.arithmetic, own.seed)
    if let node = fields.take("output") { output = try Recipe.Output(node) }
    if let node = fields.take("policies") { policies = try MergePolicies(node) }
    try fields.finish()
  }
}

extension LoRAPolicies {
  fileprivate init(_ fields: inout RecipeFields) throws(Fault) {
    self.init()
    if let node = fields.take("allow-unmatched") {
      allowsUnmatched = try node.choice(Truth.self, "'allow-unmatched'") == .true
    }
    if let node = fields.take("dora-axis") {
      magnitudeAxis = try node.choice(Magnitude.Axis.self, "'dora-axis'")
    }
    if let node = fields.take("compat") {
      for element in node.oneOrMore() {
        compatibility.insert(try element.choice(LoRACompatibility.self, "'compat'"))
      }
    }
  }

  /// The spelling of a truth value.
  private enum Truth: String, CaseIterable { case `true`, `false` }
}

extension RecipeNode {
  /// The elements of a list, or the one thing that stands in its place.
  fileprivate func oneOrMore() -> [RecipeNode] {
    if case .list(let elements) = content { elements } else { [self] }
  }
}

extension WeightSpecification {
  fileprivate init(
    _ node: RecipeNode, named name: String, presets: PresetLibrary
  ) throws(Fault) {
    if case .scalar = node.content {
      self.init(alpha: try node.number("'\(name)'"))
      return
    }
    var fields = try RecipeFields(node, of: "'\(name)'")
    self.init(alpha: try fields.take("value")?.number("'value' of '\(name)'"))
    if let list = fields.take("mbw") { blocks = try list.blockWeights(presets: presets) }
    baseAlpha = try fields.take("base")?.number("'base' of '\(name)'")
    if let node = fields.take("blocks") {
      settings = try node.placeSettings()
    }
    if let node = fields.take("elements") {
      var rules: [String] = []
      if case .list(let elements) = node.content {
        for element in elements { rules.append(try element.text("an element")) }
      } else {
        rules = [try node.text("'elements'")]
      }
      let text = rules.joined(separator: "\n")
      elements = try node.reading { () throws(Fault) in try ElementalRules(text) }
    }
    try fields.finish()
  }
}

extension RecipeNode {
  /// Settings of single places: a map from places to weights, or a list as on the command line.
  fileprivate func placeSettings() throws(Fault) -> [PlaceSetting] {
    var settings: [PlaceSetting] = []
    switch content {
    case .map(let members):
      for (places, weight) in members {
        let text = try weight.text("the weight of '\(shortened(places))'")
        settings.append(
          try weight.reading { () throws(Fault) in
            try PlaceSetting(places: places, weight: text)
          })
      }
    case .list(let elements):
      for element in elements {
        let text = try element.text("a setting in 'blocks'")
        settings.append(try element.reading { () throws(Fault) in try PlaceSetting(text) })
      }
    default:
      throw located(
        Fault(.recipeValue, "'blocks' is not a map", expected: "IN03..IN05: 0.5", found: kind))
    }
    return settings
  }

  /// Block weights: a list of numbers, or text as on the command line.
  fileprivate func blockWeights(presets: PresetLibrary) throws(Fault) -> BlockWeights {
    var text: String
    if case .list(let elements) = content {
      var parts: [String] = []
      for element in elements { parts.append(try element.text("a block weight")) }
      text = parts.joined(separator: ",")
    } else {
      text = try self.text("'mbw'")
    }
    return try reading { () throws(Fault) in try BlockWeights(text, presets: presets) }
  }
}

extension Recipe.Output {
  fileprivate init(_ node: RecipeNode) throws(Fault) {
    self.init()
    var fields = try RecipeFields(node, of: "'output'")
    if let node = fields.take("dtype") { types = try TypePolicy(node) }
    vae = try fields.take("vae")?.text("'vae'")
    discard = try fields.take("discard")?.text("'discard'")
    try fields.finish()
  }
}

extension TypePolicy {
  /// `f16` for everything, or a map from `all` and components to types.
  fileprivate init(_ node: RecipeNode) throws(Fault) {
    self.init()
    guard case .map(let members) = node.content else {
      all = try node.storedType("'dtype'")
      return
    }
    for (key, value) in members {
      let type = try value.storedType("'\(shortened(key))' of 'dtype'")
      if key == "all" {
        all = type
      } else if let component = Component(name: key) {
        components[component] = .some(type)
      } else {
        throw value.located(
          Fault(
            .recipeValue, "'dtype' names an unknown component",
            expected: "all, unet, vae or clip", found: "'\(shortened(key))'"))
      }
    }
  }
}

extension RecipeNode {
  /// A type to store tensors as; `nil` for `keep`.
  fileprivate func storedType(_ subject: String) throws(Fault) -> DType? {
    let name = try text(subject)
    let types: [DType] = [.f32, .f16, .bf16]
    guard name == "keep" || types.contains(where: { $0.recipeName == name }) else {
      throw located(
        Fault(
          .recipeValue, "\(subject) is unknown",
          expected: "keep, " + types.map(\.recipeName).joined(separator: ", "),
          found: "'\(shortened(name))'"))
    }
    return types.first { $0.recipeName == name }
  }
}

extension DType {
  /// The name in recipes and on the command line: `f16`.
  var recipeName: String { "\(self)".lowercased() }
}

extension MergePolicies {
  fileprivate init(_ node: RecipeNode) throws(Fault) {
    self.init()
    var fields = try RecipeFields(node, of: "'policies'")
    if let node = fields.take("conv-in") { convIn = try node.choice(ConvIn.self, "'conv-in'") }
    if let node = fields.take("unknown") { unknown = try node.choice(Unknown.self, "'unknown'") }
    if let node = fields.take("missing") { missing = try node.choice(Missing.self, "'missing'") }
    if let node = fields.take("overflow") {
      overflow = try node.choice(Overflow.self, "'overflow'")
    }
    if let node = fields.take("non-finite") {
      allowsNonFinite = try node.choice(NonFinite.self, "'non-finite'") == .allow
    }
    try fields.finish()
  }

  /// The spelling of ``allowsNonFinite``.
  enum NonFinite: String, CaseIterable { case allow, error }
}
