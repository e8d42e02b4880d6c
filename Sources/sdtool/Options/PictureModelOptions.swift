import ArgumentParser
import Checkpoint
import Generation
import Inspection
import Merge
import Tensors

/// The model that pictures are made with: a file, a folder, or a recipe.
struct PictureModelOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The model: a file, a diffusers folder, or a recipe (.yaml), which is merged while it is "
        + "loaded.", valueName: "path"))
  var model: String

  @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
  var variant: String?

  /// Whether the model is a recipe.
  var isRecipe: Bool {
    [".yaml", ".yml"].contains { model.lowercased().hasSuffix($0) }
  }

  /// The name of the model, for reports and PNG files.
  var name: String {
    let file = model.split(separator: "/").last.map(String.init) ?? model
    guard let dot = file.lastIndex(of: "."), dot != file.startIndex else { return file }
    return String(file[..<dot])
  }

  /// Opens the model, after a change to the last step of its recipe.
  func open(
    threads: Int, changing change: (inout Recipe.Step) throws(Fault) -> Void = { _ in }
  ) throws(Fault) -> any TensorSource {
    guard isRecipe else { return try openPictureModel(model, variant: variant) }
    var recipe = try Recipe(path: model, presets: .classic)
    if let last = recipe.steps.lastIndex(where: { $0.name == recipe.result }) {
      try change(&recipe.steps[last])
    }
    recipe = try recipe.checked()
    var sources: [String: any TensorSource] = [:]
    for part in recipe.models {
      sources[part.name] = try openModel(path: part.path ?? "", variant: variant)
    }
    let plan = try RecipePlan(recipe, models: sources, width: threads)
    if let problem = plan.problems.first { throw problem }
    try ImageModel.check(plan.result)
    return plan.result
  }

  /// The first ten digits of the SHA-256 of the model's file; `nil` for a folder or a recipe.
  func hash(of source: any TensorSource) throws(Fault) -> String? {
    guard !isRecipe, source.files.count == 1 else { return nil }
    var cache = HashCache(environment: Terminal.environment)
    defer { cache.save() }
    return try cache.sha256(of: source.files, width: 1).first.map { String($0.prefix(10)) }
  }
}

/// Opens a model file or folder that makes pictures.
func openPictureModel(
  _ path: String, variant: String? = nil
) throws(Fault) -> any TensorSource {
  let source = try openModel(path: path, variant: variant)
  try ImageModel.check(source)
  return source
}
