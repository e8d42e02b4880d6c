import ArgumentParser
import Generation
import Inspection
import LoRA
import Tensors

/// The model that pictures are made with: a file, a folder, or a recipe, with LoRAs.
struct PictureModelOptions: ParsableArguments {
  @OptionGroup var runnable: RunnableModelOptions

  func validate() throws {
    if runnable.model == nil { throw ValidationError("name the model with --model") }
  }

  /// The model, with the LoRAs that stand in a prompt.
  func model(tags: [String]) -> RunnableModel {
    RunnableModel(path: runnable.model ?? "", additions: runnable.additions, tags: tags)
  }
}

extension RunnableModel {
  /// The name of the model, for reports and PNG files.
  var name: String { fileStem(of: path) }

  /// Opens a version of the model that makes pictures.
  func openForPictures(
    threads: Int, changed: [Change] = []
  ) throws(Fault) -> any TensorSource {
    let source = try open(threads: threads, changed: changed)
    try ImageModel.check(source)
    return source
  }

  /// The first ten digits of the SHA-256 of the model's file; `nil` for a folder or a recipe.
  func hash(_ cache: inout HashCache) throws(Fault) -> String? {
    guard !isRecipe else { return nil }
    let files = try open(threads: 1).files
    // The files of LoRAs follow; a folder or shards have no hash that others know.
    guard let file = files.first, file.path == path else { return nil }
    return try cache.sha256(of: [file], width: 1).first.map { String($0.prefix(10)) }
  }

  /// The LoRAs by the hashes that the web UI gives them, and those that stand in no prompt as tags.
  func loraRecords(
    hashing: Bool
  ) throws(Fault) -> (tags: [String], hashes: [ImageRequest.NamedHash]) {
    var tags: [String] = []
    var hashes: [ImageRequest.NamedHash] = []
    for (text, use) in zip(loraArguments, try uses()) {
      let argument = try LoRAArgument(text)
      let name = fileStem(of: use.file.path)
      if argument.isFromPrompt {
        tags.append(text)
      } else if let range = text.firstRange(of: argument.name) {
        tags.append("<lora:\(name)\(text[range.upperBound...])>")
      }
      guard hashing, let file = use.file.source.files.first,
        let hash = try FileHashes(of: file, width: 1).autoV3
      else { continue }
      hashes.append(.init(name: name, hash: hash))
    }
    return (tags, hashes)
  }
}

/// The name of a file without folders and suffix.
func fileStem(of path: String) -> String {
  let file = path.split(separator: "/").last.map(String.init) ?? path
  guard let dot = file.lastIndex(of: "."), dot != file.startIndex else { return file }
  return String(file[..<dot])
}
