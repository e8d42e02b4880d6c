import ArgumentParser
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

  /// Reads all of them.
  func load(width: Int = 768) throws(Fault) -> [TextualInversion] {
    var found: [TextualInversion] = []
    for file in files {
      let parts = file.split(separator: "=", maxSplits: 1).map(String.init)
      // A path may hold an equals sign; a name holds no slash.
      let isNamed = parts.count == 2 && !parts[0].contains("/") && !parts[0].isEmpty
      found.append(
        try TextualInversion(
          path: isNamed ? parts[1] : file, name: isNamed ? parts[0] : nil, width: width))
    }
    return found
  }
}
