import ArgumentParser
import Generation
import Inspection
import Prompts
import Tensors

/// Textual-inversion embeddings that prompts may name.
struct EmbeddingOptions: ParsableArguments {
  @Option(
    name: .customLong("embedding"),
    help: ArgumentHelp(
      "A textual-inversion embedding; prompts name it by its file name, or by another with "
        + "NAME=FILE.", valueName: "file"))
  var files: [String] = []

  /// The files, with the names that they were given.
  private var named: [(path: String, name: String?)] {
    files.map { file in
      let parts = file.split(separator: "=", maxSplits: 1).map(String.init)
      // A path may hold an equals sign; a name holds no slash.
      let isNamed = parts.count == 2 && !parts[0].contains("/") && !parts[0].isEmpty
      return isNamed ? (parts[1], parts[0]) : (file, nil)
    }
  }

  /// Where they are.
  var paths: [String] { named.map(\.path) }

  /// Reads all of them, for a text encoder of a width.
  func load(width: Int = 768) throws(Fault) -> [TextualInversion] {
    var found: [TextualInversion] = []
    for (path, name) in named {
      found.append(try TextualInversion(path: path, name: name, width: width))
    }
    return found
  }

  /// Those called `names`, by the hashes that the web UI gives them.
  func hashes(
    of names: [String], _ cache: inout HashCache
  ) throws(Fault) -> [ImageRequest.NamedHash] {
    var hashes: [ImageRequest.NamedHash] = []
    for (path, given) in named {
      let name = given ?? fileStem(of: path)
      guard names.contains(name) else { continue }
      let hash = try cache.sha256(of: [InputFile(path: path)], width: 1)
      hashes.append(.init(name: name, hash: String(hash[0].prefix(12))))
    }
    return hashes
  }
}
