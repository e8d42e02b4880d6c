import ArgumentParser
import Checkpoint
import LoRA
import Merge
import Tensors

/// The model that a command runs: a file, or what a recipe and LoRAs make of files.
struct RunnableModelOptions: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "The model: a file, a folder, or a merge recipe (.yaml), which is merged while it is loaded.",
      valueName: "path"))
  var model: String?

  @OptionGroup var additions: ModelAdditionOptions

  func validate() throws {
    if model == nil, !additions.lora.isEmpty { throw ValidationError("--lora goes with --model") }
  }

  /// The model, if one was named.
  var runnable: RunnableModel? { model.map { RunnableModel(path: $0, additions: additions) } }

  /// Opens what was asked for; nothing is written, and values are computed as they are read.
  func open(threads: Int) throws(Fault) -> (any TensorSource)? {
    guard let runnable else { return nil }
    return try runnable.open(threads: threads)
  }
}

/// What is added to a model while it is loaded, and how folders are read.
struct ModelAdditionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A LoRA that is merged while the model is loaded, as in style.safetensors:0.8; may be "
        + "repeated.", valueName: "file[:strength]"))
  var lora: [String] = []

  @Option(help: ArgumentHelp("Where LoRAs are that are named only.", valueName: "folder"))
  var loraDir: String?

  @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
  var variant: String?
}

/// A model that can be run: a file, a folder or a recipe, with LoRAs.
///
/// Files stay open from one version of the model to the next, so that the versions know what they
/// have in common.
final class RunnableModel {
  /// What is changed about a version of it.
  struct Change {
    /// The weight of the last step of the recipe, if it is changed.
    var alpha: Double?
    /// The block weights of that step, if they are changed; beside an α they are taken times α.
    var blocks: BlockWeights?
    /// Changes the LoRAs.
    var loras: ((inout [LoRAUse]) throws(Fault) -> Void)?
  }

  let path: String
  /// The LoRAs as they are asked for.
  let loraArguments: [String]
  private let loraFolder: String?
  let variant: String?
  private var models: [String: any TensorSource] = [:]
  private var loras: [LoRAUse]?

  /// A model; `tags` are LoRAs that stand in a prompt.
  init(path: String, additions: ModelAdditionOptions, tags: [String] = []) {
    self.path = path
    loraArguments = additions.lora + tags
    loraFolder = additions.loraDir
    variant = additions.variant
  }

  /// Whether the model is a recipe.
  var isRecipe: Bool { path.hasSuffix(".yaml") || path.hasSuffix(".yml") }

  /// The LoRAs with their strengths, in order.
  func uses() throws(Fault) -> [LoRAUse] {
    if let loras { return loras }
    let found = try LoRAFinder(folder: loraFolder, presetFile: nil).open(loraArguments)
    loras = found
    return found
  }

  /// Opens a version of the model; nothing is written, and values are computed as they are read.
  func open(threads: Int, changed: [Change] = []) throws(Fault) -> any TensorSource {
    let base = try isRecipe ? merged(threads: threads, changed) : model(at: path)
    var uses = try self.uses()
    for change in changed { try change.loras?(&uses) }
    guard !uses.isEmpty else { return base }
    let plan = try LoRAMergePlan(base, LoRAMergeRequest(uses), width: threads)
    if let problem = plan.problems.first { throw problem }
    return LoRAMergedSource(plan)
  }

  private func model(at path: String) throws(Fault) -> any TensorSource {
    if let known = models[path] { return known }
    let source = try openModel(path: path, variant: variant)
    models[path] = source
    return source
  }

  private func merged(threads: Int, _ changed: [Change]) throws(Fault) -> any TensorSource {
    var recipe = try Recipe(reading: path, presets: .classic)
    if let last = recipe.steps.lastIndex(where: { $0.name == recipe.result }) {
      Self.change(&recipe.steps[last], by: changed)
    }
    recipe = try recipe.checked()
    var inputs: [String: any TensorSource] = [:]
    for input in recipe.models { inputs[input.name] = try model(at: input.path ?? "") }
    let plan = try RecipePlan(recipe, models: inputs, width: threads)
    if let problem = plan.problems.first { throw problem }
    return plan.result
  }
}

extension RunnableModel {
  /// Gives a step the weights that all changes together mean, whatever their order.
  private static func change(_ step: inout Recipe.Step, by changes: [Change]) {
    let alpha = changes.lazy.compactMap(\.alpha).first
    let blocks = changes.lazy.compactMap(\.blocks).first
    guard alpha != nil || blocks != nil else { return }
    var weights = step.alpha ?? WeightSpecification()
    if let alpha {
      weights.alpha = alpha
      weights.blocks = blocks?.scaled(by: alpha)
    } else {
      weights.blocks = blocks
    }
    step.alpha = weights
  }
}

extension Recipe {
  /// Reads the recipe in the file at `path`; paths in it are relative to it.
  init(reading path: String, presets: PresetLibrary) throws(Fault) {
    let file = try InputFile(path: path)
    do throws(Fault) {
      let bytes = try file.read(at: 0, count: min(file.byteCount, 2 << 20))
      self = try Recipe(yaml: String(decoding: bytes, as: UTF8.self), presets: presets)
    } catch { throw error.at(path) }
    let slash = path.lastIndex(of: "/")
    for index in models.indices {
      guard let own = models[index].path, !own.hasPrefix("/"), let slash else { continue }
      models[index].path = path[...slash] + own
    }
  }
}
