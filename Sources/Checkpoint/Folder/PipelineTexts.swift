import JSON
package import Tensors

/// What a diffusers folder says about sampling and words, file by file: its scheduler and tokenizer.
///
/// - Returns: path in the folder and contents of each file that is there.
/// - Throws: when one cannot be read, leads out of the folder or is too large for what it should be.
package func pipelineTexts(
  ofFolder path: String
) throws(Fault) -> [(path: String, bytes: [UInt8])] {
  let names = [
    "scheduler": ["scheduler_config.json"],
    "tokenizer": [
      "added_tokens.json", "merges.txt", "special_tokens_map.json", "tokenizer.json",
      "tokenizer_config.json", "vocab.json",
    ],
  ]
  let folder = try ModelFolder(path: path)
  var texts: [(path: String, bytes: [UInt8])] = []
  for (name, files) in names.sorted(by: { $0.key < $1.key }) where folder.isFolder(name) {
    let part = folder.folder(name)
    for file in files where part.contains(file) {
      let input = try part.open(file)
      guard input.byteCount <= 16 << 20 else {
        throw Fault(
          .jsonTooLarge, "is too large for a configuration or vocabulary", path: input.path,
          expected: "at most 16 MiB", found: "\(input.byteCount) bytes")
      }
      texts.append(("\(name)/\(file)", try input.read(at: 0, count: input.byteCount)))
    }
  }
  return texts
}
