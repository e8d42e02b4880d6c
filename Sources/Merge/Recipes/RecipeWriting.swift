public import JSON
import LoRA
import StableDiffusion
import Tensors

extension Recipe {
  /// The recipe as YAML: always the same text for the same recipe.
  ///
  /// Presets are named if everyone knows them, otherwise their numbers are written out.
  public var yaml: String { node.yaml }

  /// The recipe as JSON, for metadata; ``init(json:)`` reads it.
  public var json: JSONValue { node.json }

  private var node: RecipeNode {
    var members: [(key: String, value: RecipeNode)] = [("recipe", .number("\(Self.version)"))]
    members.append(("models", RecipeNode(.map(models.map { ($0.name, $0.node) }))))
    if !steps.isEmpty { members.append(("steps", RecipeNode(.list(steps.map(\.node))))) }
    if result != steps.last?.name ?? models.first?.name {
      members.append(("result", .text(result)))
    }
    if output != Output() { members.append(("output", output.node)) }
    if policies != MergePolicies() { members.append(("policies", policies.node)) }
    return RecipeNode(.map(members))
  }
}

extension Recipe.Model {
  fileprivate var node: RecipeNode {
    guard let sha256 else { return .text(path ?? "") }
    let path = path.map { [("path", RecipeNode.text($0))] } ?? []
    return RecipeNode(.map(path + [("sha256", .text(sha256))]))
  }
}

extension Recipe.Step {
  fileprivate var node: RecipeNode {
    func number(_ key: String, _ value: Double?) -> [(key: String, value: RecipeNode)] {
      value.map { [(key, .number(spelled($0)))] } ?? []
    }
    let kind: (key: String, value: RecipeNode) =
      loras.isEmpty
      ? ("method", .text(method)) : ("lora", RecipeNode(.list(loras.map { .text($0) })))
    var members: [(key: String, value: RecipeNode)] = [
      ("name", .text(name)), kind, ("models", RecipeNode(.list(inputs.map { .text($0) }))),
    ]
    members += loraPolicies.members
    if let alpha { members.append(("alpha", alpha.node)) }
    if let beta { members.append(("beta", beta.node)) }
    members += number("gamma", gamma) + number("density", density) + number("epsilon", epsilon)
    if !weights.isEmpty {
      members.append(("weights", RecipeNode(.list(weights.map { .number(spelled($0)) }))))
    }
    if dialect != .mbw { members.append(("dialect", .text(dialect.name))) }
    if arithmetic != .exact { members.append(("arithmetic", .text(arithmetic.rawValue))) }
    if seed != 0 { members.append(("seed", .number("\(seed)"))) }
    if let output { members.append(("output", output.node)) }
    if let policies { members.append(("policies", policies.node)) }
    return RecipeNode(.map(members))
  }
}

extension LoRAPolicies {
  /// What differs from the defaults.
  fileprivate var members: [(key: String, value: RecipeNode)] {
    var members: [(key: String, value: RecipeNode)] = []
    if allowsUnmatched { members.append(("allow-unmatched", .number("true"))) }
    if let magnitudeAxis { members.append(("dora-axis", .text(magnitudeAxis.rawValue))) }
    if !compatibility.isEmpty {
      let names = LoRACompatibility.allCases.filter(compatibility.contains).map(\.rawValue)
      members.append(("compat", RecipeNode(.list(names.map { .text($0) }))))
    }
    return members
  }
}

extension WeightSpecification {
  fileprivate var node: RecipeNode {
    if isScalar, let alpha { return .number(spelled(alpha)) }
    var members: [(key: String, value: RecipeNode)] = []
    if let alpha { members.append(("value", .number(spelled(alpha)))) }
    if let blocks { members.append(("mbw", blocks.node(isBaseOverridden: baseAlpha != nil))) }
    if let baseAlpha { members.append(("base", .number(spelled(baseAlpha)))) }
    if !settings.isEmpty {
      // The same places twice, the later of which count, cannot be keys of one map.
      let isUnique = Set(settings.map(\.range)).count == settings.count
      members.append(
        (
          "blocks",
          RecipeNode(
            isUnique
              ? .map(settings.map { ($0.range, .number("\($0.weight)")) })
              : .list(settings.map { .text("\($0)") }))
        ))
    }
    if !elements.rules.isEmpty {
      members.append(("elements", RecipeNode(.list(elements.rules.map { .text($0.text) }))))
    }
    return RecipeNode(.map(members))
  }
}

extension BlockWeights {
  /// The name of a classic preset or interpolation that gives these numbers, or the numbers.
  fileprivate func node(isBaseOverridden: Bool) -> RecipeNode {
    if case .preset(let name) = origin, let classic = try? BlockWeights(name), classic == self {
      return .text(name)
    }
    if !extras.isEmpty { return .text(sliders.map(spelled).joined(separator: ",")) }
    return .text((isBaseOverridden ? withoutBase : self).list)
  }

  /// The thirty ratios of ComfyUI's sliders.
  private var sliders: [Double] {
    var sliders = [extras[.time] ?? 0, extras[.label] ?? 0]
    sliders += blocks[..<12]
    sliders += Array(repeating: blocks[12], count: 3)
    sliders += blocks[13...]
    sliders.append(extras[.out] ?? 0)
    return sliders
  }
}

extension Recipe.Output {
  fileprivate var node: RecipeNode {
    var members: [(key: String, value: RecipeNode)] = []
    let components = componentTypes.sorted { $0.key < $1.key }.map { component, type in
      (
        key: component == .textEncoder ? "clip" : component.rawValue,
        value: RecipeNode.text(type?.recipeName ?? "keep")
      )
    }
    let all = dtype.map { [(key: "all", value: RecipeNode.text($0.recipeName))] } ?? []
    if !components.isEmpty {
      members.append(("dtype", RecipeNode(.map(all + components))))
    } else if let dtype {
      members.append(("dtype", .text(dtype.recipeName)))
    }
    if let vae { members.append(("vae", .text(vae))) }
    if let discard { members.append(("discard", .text(discard))) }
    return RecipeNode(.map(members))
  }
}

extension MergePolicies {
  fileprivate var node: RecipeNode {
    let standard = MergePolicies()
    var members: [(key: String, value: RecipeNode)] = []
    if convIn != standard.convIn { members.append(("conv-in", .text(convIn.rawValue))) }
    if unknown != standard.unknown { members.append(("unknown", .text(unknown.rawValue))) }
    if missing != standard.missing { members.append(("missing", .text(missing.rawValue))) }
    if overflow != standard.overflow { members.append(("overflow", .text(overflow.rawValue))) }
    if allowsNonFinite { members.append(("non-finite", .text(NonFinite.allow.rawValue))) }
    return RecipeNode(.map(members))
  }
}
