import ArgumentParser
import Checkpoint
import Generation
import Inspection
import Merge
import Tensors

/// The model that pictures are made with: a file, a folder, or a recipe, with LoRAs.
struct PictureModelOptions: ParsableArguments {
  @OptionGroup var runnable: RunnableModelOptions

  func validate() throws {
    if runnable.model == nil { throw ValidationError("name the model with --model") }
  }

  /// The path of the model.
  var path: String { runnable.model ?? "" }
  /// Whether the model is a recipe.
  var isRecipe: Bool { runnable.isRecipe }

  /// The name of the model, for reports and PNG files.
  var name: String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    guard let dot = file.lastIndex(of: "."), dot != file.startIndex else { return file }
    return String(file[..<dot])
  }

  /// Opens the model, after a change to the last step of its recipe.
  func open(
    threads: Int, changing change: (inout Recipe.Step) throws(Fault) -> Void = { _ in }
  ) throws(Fault) -> any TensorSource {
    guard let source = try runnable.open(threads: threads, changing: change) else {
      throw Fault(.generationModel, "is not named", hint: "name a model with --model")
    }
    try ImageModel.check(source)
    return source
  }

  /// The first ten digits of the SHA-256 of the model's file; `nil` for a folder or a recipe.
  func hash() throws(Fault) -> String? {
    guard !isRecipe else { return nil }
    let files = try openModel(path: path, variant: runnable.variant).files
    guard files.count == 1 else { return nil }
    var cache = HashCache(environment: Terminal.environment)
    defer { cache.save() }
    return try cache.sha256(of: files, width: 1).first.map { String($0.prefix(10)) }
  }
}

/// Opens a model file or folder that makes pictures.
func openPictureModel(_ path: String) throws(Fault) -> any TensorSource {
  let source = try openModel(path: path)
  try ImageModel.check(source)
  return source
}
