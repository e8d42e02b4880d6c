import ArgumentParser
import Checkpoint
import Merge
import Tensors

/// The numbers that methods take beside α.
struct MergeParameterOptions: ParsableArguments {
  @Option(
    parsing: .unconditional, help: ArgumentHelp("β of methods that have one.", valueName: "number"))
  var beta: Double?

  @Option(parsing: .unconditional, help: ArgumentHelp("Block weights of β.", valueName: "weights"))
  var mbwBeta: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("β of text encoder and VAE with --mbw-beta.", valueName: "number"))
  var baseBeta: Double?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("γ of methods that have one.", valueName: "number"))
  var gamma: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The proportion of differences that is kept.", valueName: "0-1"))
  var density: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Half the width of a range of probabilities.", valueName: "0-0.5"))
  var epsilon: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("A weight for each model but the base, with commas.", valueName: "list"))
  var weights: String?

  @Option(help: "The number that random choices follow from.")
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp(
      "Rounding: exact (once), lerp (as torch.lerp), webui (as AUTOMATIC1111).",
      valueName: "name"))
  var arithmetic: Arithmetic = .exact

  func validate() throws {
    for value in [beta, baseBeta, gamma, density, epsilon] where value?.isFinite == false {
      throw ValidationError("parameters must be finite numbers")
    }
    if let weights, list(weights) == nil {
      throw ValidationError("--weights takes finite numbers with commas between them")
    }
  }

  private func list(_ text: String) -> [Double]? {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false)
      .map { Double($0.filter { $0 != " " }) }
    let values = numbers.compactMap { $0 }
    return values.count == numbers.count && values.allSatisfy(\.isFinite) ? values : nil
  }

  /// Puts all that was given into a step.
  func apply(to step: inout Recipe.Step, weights options: MergeWeightOptions) throws(Fault) {
    step.alpha = try options.specification()
    step.dialect = try options.dialect()
    if beta != nil || mbwBeta != nil || baseBeta != nil {
      var specification = WeightSpecification(alpha: beta, baseAlpha: baseBeta)
      if let mbwBeta {
        let library = try options.library()
        specification.blocks = try option("--mbw-beta") { () throws(Fault) in
          try BlockWeights(mbwBeta, presets: library)
        }
      }
      step.beta = specification
    }
    step.gamma = gamma
    step.density = density
    step.epsilon = epsilon
    step.weights = weights.flatMap { list($0) } ?? []
    step.seed = seed
    step.arithmetic = arithmetic
  }
}

/// What a merge does where the inputs leave a choice.
struct MergePolicyOptions: ParsableArguments {
  @Option(help: "Tensors that some models lack: keep (from the first that has them) or error.")
  var missing: MergePolicies.Missing?

  @Option(help: "Tensors that belong to nothing known: keep, drop, merge or error.")
  var unknown: MergePolicies.Unknown?

  @Option(
    help: ArgumentHelp(
      "First convolutions with 9 or 8 channels and with 4: merge4 (what they share), keep (the "
        + "larger) or error.", valueName: "policy"))
  var convIn: MergePolicies.ConvIn?

  @Option(help: "Results too large for their type: error, clamp or keep-f32.")
  var overflow: MergePolicies.Overflow?

  @Flag(help: "Merge models that hold infinities or NaN.")
  var allowNonFinite = false

  @Option(
    help: ArgumentHelp(
      "Type of the result: keep (the first model's), f16, bf16, f32; unet=f16,vae=f32 for "
        + "components.", valueName: "type"))
  var dtype: [String] = []

  @Option(help: ArgumentHelp("Take the VAE from this model.", valueName: "model"))
  var vae: String?

  @Option(
    help: ArgumentHelp("Leave out tensors whose name fits anywhere.", valueName: "regex"))
  var discard: String?

  @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
  var variant: String?

  /// Changes what was given.
  func apply(to recipe: inout Recipe) throws(Fault) {
    if let missing { recipe.policies.missing = missing }
    if let unknown { recipe.policies.unknown = unknown }
    if let convIn { recipe.policies.convIn = convIn }
    if let overflow { recipe.policies.overflow = overflow }
    if allowNonFinite { recipe.policies.allowsNonFinite = true }
    if let discard { recipe.output.discard = discard }
    if !dtype.isEmpty {
      let types = try TypePolicy(dtype)
      // A type for everything takes the place of all that the recipe says.
      if dtype.joined(separator: ",").split(separator: ",").contains(where: { !$0.contains("=") }) {
        recipe.output.types = types
      } else {
        recipe.output.componentTypes.merge(types.components) { $1 }
      }
    }
    if let vae {
      recipe.models.append(Recipe.Model("VAE", path: vae))
      recipe.output.vae = "VAE"
    }
  }
}
