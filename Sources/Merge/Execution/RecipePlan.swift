public import LoRA
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
  /// The steps that take part in the result, in the recipe's order; one that copies if the recipe
  /// has none.
  public let steps: [RecipePlanStep]
  /// The merged model.
  public let result: MergedSource
  /// The models that are read, by the names that the recipe gives them.
  public let models: [String: any TensorSource]
  /// What keeps LoRAs from being merged.
  private let loraProblems: [Fault]
  /// The models with LoRAs that steps make, by the names of the steps.
  public let loraSources: [String: LoRAMergedSource]

  /// Plans all steps.
  ///
  /// - Parameters:
  ///   - recipe: what is merged; see ``Recipe/checked()``.
  ///   - models: every model of the recipe, by name.
  ///   - width: the number of threads.
  /// - Throws: ``Rule/recipeName`` if a model is not among `models`; what
  ///   ``Recipe/Step/request()`` throws.
  public init(
    _ recipe: Recipe, models: [String: any TensorSource], width: Int
  ) throws(Fault) {
    self.recipe = recipe
    self.models = models
    var inputs = [String: MergeInput]()
    for (name, source) in models { inputs[name] = MergeInput(source) }
    var steps: [RecipePlanStep] = []
    var loraProblems: [Fault] = []
    var loraSources: [String: LoRAMergedSource] = [:]
    // A model that is written as it is goes through the same plan as what is merged.
    var pending = recipe.steps
    if !pending.contains(where: { $0.name == recipe.result }) {
      pending = [Recipe.Step(recipe.result, method: "copy", inputs: [recipe.result])]
    }
    var result: MergedSource?
    for step in pending where result == nil {
      let isLast = step.name == recipe.result
      let output = isLast ? recipe.output : step.output
      let names = step.inputs + [output?.vae].compactMap { $0 }
      var own: [MergeInput] = []
      for name in names {
        guard let input = inputs[name] else {
          throw Fault(.recipeName, "step '\(step.name)' uses '\(name)', which is not open")
        }
        own.append(input)
      }
      if !step.loras.isEmpty, let input = own.first {
        let merged = try Self.merged(
          step, step.policies ?? recipe.policies, of: models, into: input.source, width: width)
        if let problem = merged.plan.problems.first { loraProblems.append(problem) }
        loraSources[step.name] = merged
        let styled = MergeInput(merged)
        inputs[step.name] = styled
        guard isLast else { continue }
        own = [styled] + own.dropFirst()
      }
      // A step of LoRAs that is the last one still has tensors to leave out and types to store.
      var request =
        try step.loras.isEmpty
        ? step.request() : Recipe.Step(step.name, method: "copy", inputs: [step.name]).request()
      request.policies = step.policies ?? recipe.policies
      if let output {
        request.bakesVAE = output.vae != nil
        request.types = output.types
        request.discards = try output.discards()
      } else if step.arithmetic != .webui {
        // The web UI would have stored the result of each step in a file.
        request.types = .intermediate
      }
      let source = MergedSource(MergePlan(own, request), width: width)
      let sources = step.loras.isEmpty ? names : [step.name] + names.dropFirst()
      steps.append(RecipePlanStep(name: step.name, inputs: sources, plan: source.plan))
      inputs[step.name] = MergeInput(source)
      if isLast { result = source }
    }
    guard let result else { throw Fault(.recipeName, "has no result") }
    self.steps = steps
    self.result = result
    self.loraProblems = loraProblems
    self.loraSources = loraSources
  }

  /// A model with LoRAs, in single precision.
  private static func merged(
    _ step: Recipe.Step, _ policies: MergePolicies, of models: [String: any TensorSource],
    into base: any TensorSource, width: Int
  ) throws(Fault) -> LoRAMergedSource {
    var uses: [LoRAUse] = []
    for text in step.loras {
      let argument = try LoRAArgument(text)
      guard let source = models[argument.name] else {
        throw Fault(.recipeName, "uses the LoRA '\(argument.name)', which is not open")
      }
      uses.append(LoRAUse(try LoRAFile(path: source.path), argument.strength))
    }
    var request = LoRAMergeRequest(uses)
    request.wording = .recipe
    request.allowsUnmatched = step.loraPolicies.allowsUnmatched
    request.magnitudeAxis = step.loraPolicies.magnitudeAxis
    request.compatibility = step.loraPolicies.compatibility
    if policies.overflow == .clamp { request.overflow = .clamp }
    for component in Component.allCases { request.types[component] = .f32 }
    return LoRAMergedSource(try LoRAMergePlan(base, request, width: width))
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
      loraProblems: loraProblems, loraSources: loraSources)
  }

  private init(
    recipe: Recipe, steps: [RecipePlanStep], result: MergedSource,
    models: [String: any TensorSource], loraProblems: [Fault],
    loraSources: [String: LoRAMergedSource]
  ) {
    self.loraSources = loraSources
    self.loraProblems = loraProblems
    self.recipe = recipe
    self.steps = steps
    self.result = result
    self.models = models
  }
}

/// One step of a recipe, planned.
public struct RecipePlanStep: Sendable {
  /// What the recipe calls its result.
  public let name: String
  /// The names of the plan's inputs; the last one may be the model whose VAE is taken.
  public let inputs: [String]
  /// What it does.
  public internal(set) var plan: MergePlan
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
