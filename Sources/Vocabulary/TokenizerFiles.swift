extension CLIPVocabulary {
  /// The text of `merges.txt` in a tokenizer folder.
  public var mergesFile: [UInt8] {
    var text = Array("#version: 0.2\n".utf8)
    for merge in merges {
      text += merge.utf8
      text.append(UInt8(ascii: "\n"))
    }
    return text
  }

  /// The text of `vocab.json` in a tokenizer folder.
  public var vocabularyFile: [UInt8] {
    var text: [UInt8] = [UInt8(ascii: "{")]
    for (number, token) in tokens.enumerated() {
      text += number == 0 ? "\"".utf8 : ", \"".utf8
      for byte in token.utf8 {
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
          text.append(UInt8(ascii: "\\"))
        }
        text.append(byte)
      }
      text += "\": \(number)".utf8
    }
    return text + "}".utf8
  }
}
