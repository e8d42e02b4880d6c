import LoRA
import StableDiffusion
public import Tensors

/// What a recipe will do to models that are open, known before any value is read.
///
///     let plan = try RecipePlan(recipe, models: ["A": a, "B": b], width: 2)
///     plan.problems               // what makes it impossible
///     plan.result                 // the merged model, computed as it is read
///
/// Results of earlier steps are never stored: a step that needs one computes the part it needs,
/// in single precision.
public struct RecipePlan: Sendable {
  /// The recipe.
  public let recipe: Recipe
  /// The steps that take part in the result, in the recipe's order.
  public let steps: [(name: String, plan: MergePlan)]
  /// The merged model.
  public let result: MergedSource
  /// The models that are read, by the names that the recipe gives them.
  public let models: [String: any TensorSource]
  /// What keeps LoRAs from being merged.
  private let loraProblems: [Fault]

  /// Plans all steps.
  ///
  /// - Parameters:
  ///   - recipe: what is merged; see ``Recipe/checked()``.
  ///   - models: every model of the recipe, by name.
  ///   - types: how the result is stored; what the recipe says if `nil`.
  ///   - width: the number of threads.
  /// - Throws: ``Rule/recipeName`` or ``Rule/recipeUnsupported``.
  public init(
    _ recipe: Recipe, models: [String: any TensorSource], types: TypePolicy? = nil, width: Int
  ) throws(Fault) {
    self.recipe = recipe
    self.models = models
    var inputs = [String: MergeInput]()
    for (name, source) in models { inputs[name] = MergeInput(source) }
    var steps: [(name: String, plan: MergePlan)] = []
    var loraProblems: [Fault] = []
    var result: MergedSource?
    for step in recipe.steps {
      var own: [MergeInput] = []
      let isLast = step.name == recipe.result
      for name in step.inputs + (isLast ? [recipe.output.vae].compactMap { $0 } : []) {
        guard let input = inputs[name] else {
          throw Fault(.recipeName, "step '\(step.name)' uses '\(name)', which is not open")
        }
        own.append(input)
      }
      if !step.loras.isEmpty, let input = own.first {
        let merged = try Self.merged(step.loras, into: input.source, width: width)
        if let problem = merged.plan.problems.first { loraProblems.append(problem) }
        let styled = MergeInput(merged)
        inputs[step.name] = styled
        guard isLast else { continue }
        // A sum of which nothing but the first operand is left: what it copies is stored as wanted.
        own = [styled, styled] + own.dropFirst()
      }
      var request = try step.loras.isEmpty ? step.request() : Self.copy()
      request.policies = recipe.policies
      if isLast {
        request.bakesVAE = recipe.output.vae != nil
        request.types = types ?? recipe.output.types
        request.discards = try recipe.output.discards()
      } else if step.arithmetic != .webui {
        // The web UI would have stored the result of each step in a file.
        request.types = .intermediate
      }
      let plan = MergePlan(own, request)
      let source = MergedSource(plan, width: width)
      steps.append((step.name, plan))
      if isLast {
        result = source
        break
      }
      inputs[step.name] = MergeInput(source)
    }
    guard let result else {
      throw Fault(
        .recipeUnsupported, "merges nothing: its result is a model",
        hint: "sdtool convert copies a model, bakes a VAE and leaves tensors out")
    }
    self.steps = steps
    self.result = result
    self.loraProblems = loraProblems
  }

  /// A model with LoRAs, in single precision.
  private static func merged(
    _ loras: [String], into base: any TensorSource, width: Int
  ) throws(Fault) -> LoRAMergedSource {
    var uses: [LoRAUse] = []
    for text in loras {
      let argument = try LoRAArgument(text)
      uses.append(LoRAUse(try LoRAFile(path: argument.name), argument.strength))
    }
    var request = LoRAMergeRequest(uses)
    for component in Component.allCases { request.types[component] = .f32 }
    return LoRAMergedSource(try LoRAMergePlan(base, request, width: width))
  }

  /// A request that takes everything from its first input.
  private static func copy() throws(Fault) -> MergeRequest {
    var step = Recipe.Step("", method: "weighted-sum", inputs: [])
    step.alpha = WeightSpecification(alpha: 0)
    return try step.request()
  }

  /// The plan of the last step.
  public var plan: MergePlan { result.plan }

  /// What makes the merge impossible: the problems of the first step that has any.
  public var problems: [Fault] {
    loraProblems.isEmpty
      ? steps.lazy.map(\.plan.problems).first { !$0.isEmpty } ?? [] : loraProblems
  }

  /// The same plan, with the tensors at `positions` of the result stored as F32.
  public func storingSingles(_ positions: Set<Int>, width: Int) -> RecipePlan {
    let plan = self.plan.storingSingles(positions)
    var steps = self.steps
    if let last = steps.indices.last { steps[last].plan = plan }
    return RecipePlan(
      recipe: recipe, steps: steps, result: MergedSource(plan, width: width), models: models,
      loraProblems: loraProblems)
  }

  private init(
    recipe: Recipe, steps: [(name: String, plan: MergePlan)], result: MergedSource,
    models: [String: any TensorSource], loraProblems: [Fault]
  ) {
    self.loraProblems = loraProblems
    self.recipe = recipe
    self.steps = steps
    self.result = result
    self.models = models
  }
}

extension Recipe.Step {
  /// The step as the planner takes it, with default policies.
  ///
  /// - Throws: ``Rule/mergeMethod`` and ``Rule/weightRules``.
  public func request() throws(Fault) -> MergeRequest {
    let method = try MergeMethods.named(self.method)
    let settings = settings(of: method)
    var alpha = self.alpha ?? WeightSpecification()
    // What no number is given for gets the method's own default.
    if alpha.alpha == nil, alpha.blocks == nil { alpha.alpha = settings.alpha }
    var beta = self.beta
    if let given = beta, given.alpha == nil, given.blocks == nil { beta?.alpha = settings.beta }
    return MergeRequest(
      method: method, settings: settings, alpha: try alpha.resolved(in: dialect),
      beta: try beta.map { specification throws(Fault) in
        try specification.resolved(in: dialect)
      })
  }
}

extension Recipe.Output {
  /// How the result is stored.
  fileprivate var types: TypePolicy {
    var types = TypePolicy()
    types.all = dtype
    return types
  }

  /// Tells which tensors are left out.
  fileprivate func discards() throws(Fault) -> @Sendable (TensorName) -> Bool {
    guard let discard else { return { _ in false } }
    let pattern = DiscardPattern(discard)
    guard pattern.isValid else {
      throw Fault(
        .recipeValue, "has a bad regular expression for tensors to leave out",
        found: "'\(shortened(discard))'")
    }
    return { pattern.matches($0) }
  }
}

/// A regular expression for names of tensors.
///
/// Compiled anew for each name, because a compiled one cannot be shared by threads.
private struct DiscardPattern: Sendable {
  private let text: String

  init(_ text: String) { self.text = text }

  var isValid: Bool { (try? Regex(text)) != nil }

  func matches(_ name: TensorName) -> Bool {
    guard let pattern = try? Regex(text) else { return false }
    return ((try? pattern.firstMatch(in: name.string)) ?? nil) != nil
  }
}
