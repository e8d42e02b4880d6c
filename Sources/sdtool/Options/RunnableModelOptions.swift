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

  @Option(
    help: ArgumentHelp(
      "A LoRA that is merged while the model is loaded, as in style.safetensors:0.8; may be "
        + "repeated.", valueName: "file[:strength]"))
  var lora: [String] = []

  @Option(help: ArgumentHelp("Where LoRAs are that are named only.", valueName: "folder"))
  var loraDir: String?

  @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
  var variant: String?

  func validate() throws {
    if model == nil, !lora.isEmpty { throw ValidationError("--lora goes with --model") }
  }

  /// Opens what was asked for; nothing is written, and values are computed as they are read.
  ///
  /// `change` is made to the last step of a recipe.
  func open(
    threads: Int, changing change: (inout Recipe.Step) throws(Fault) -> Void = { _ in }
  ) throws(Fault) -> (any TensorSource)? {
    guard let model else { return nil }
    let base = try open(model, threads: threads, changing: change)
    guard !lora.isEmpty else { return base }
    let uses = try LoRAFinder(folder: loraDir, presetFile: nil).open(lora)
    let plan = try LoRAMergePlan(base, LoRAMergeRequest(uses), width: threads)
    if let problem = plan.problems.first { throw problem }
    return LoRAMergedSource(plan)
  }

  /// Whether the model is a recipe.
  var isRecipe: Bool { model.map { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") } ?? false }

  private func open(
    _ path: String, threads: Int, changing change: (inout Recipe.Step) throws(Fault) -> Void
  ) throws(Fault) -> any TensorSource {
    guard isRecipe else { return try openModel(path: path, variant: variant) }
    var recipe = try Recipe(reading: path, presets: .classic)
    if let last = recipe.steps.lastIndex(where: { $0.name == recipe.result }) {
      try change(&recipe.steps[last])
    }
    recipe = try recipe.checked()
    var models: [String: any TensorSource] = [:]
    for model in recipe.models {
      models[model.name] = try openModel(path: model.path ?? "", variant: variant)
    }
    let plan = try RecipePlan(recipe, models: models, width: threads)
    if let problem = plan.problems.first { throw problem }
    return plan.result
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
