public import Tensors

extension Rule {
  /// The file is of a known kind that is not a model here.
  public static let foreignFile = Rule(
    "IO010", .fatal, "not a model file",
    "The first bytes are those of another kind of file. The suffix says nothing: files are told "
      + "apart by their contents.")
  /// The file is what a server sent instead of the model.
  public static let downloadFailed = Rule(
    "IO011", .fatal, "download failed",
    "The file is not the model but what was sent instead of it: a web page, an error message, or "
      + "the pointer that stands for a large file in a git repository.")
  /// The file is empty.
  public static let emptyFile = Rule(
    "IO012", .fatal, "empty file", "The file has no bytes. The download did not begin, or failed.")

  /// The rules about files that are something else.
  public static let foreignRules: [Rule] = [.foreignFile, .downloadFailed, .emptyFile]
}

/// Recognises files that people take for models, by their first bytes.
enum ForeignFile {
  /// What is wrong with a file that begins with `start`, or `nil` if it is none of the known kinds.
  static func fault(_ start: [UInt8], of file: InputFile) -> Fault? {
    func begins(_ bytes: [UInt8], at offset: Int = 0) -> Bool {
      start.dropFirst(offset).starts(with: bytes)
    }
    func begins(_ text: String) -> Bool { begins(Array(text.utf8)) }
    func foreign(_ what: String, _ hint: String? = nil) -> Fault {
      Fault(.foreignFile, "is \(what), not a model", path: file.path, offset: 0, hint: hint)
    }
    if file.byteCount == 0 {
      return Fault(.emptyFile, "is empty", path: file.path, hint: "download it again")
    }
    if begins([0x1F, 0x8B]) { return foreign("a gzip archive", "unpack it first (gunzip)") }
    if begins([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]) {
      return foreign("a 7z archive", "unpack it first (7z x)")
    }
    if begins("Rar!") { return foreign("a RAR archive", "unpack it first") }
    if begins([0xFD, 0x37, 0x7A, 0x58, 0x5A]) {
      return foreign("an xz archive", "unpack it first")
    }
    if begins([0x28, 0xB5, 0x2F, 0xFD]) { return foreign("a zstd archive", "unpack it first") }
    if begins("BZh") { return foreign("a bzip2 archive", "unpack it first") }
    if begins("GGUF") {
      return foreign("a GGUF file", "quantised models are not read; use the original weights")
    }
    if begins([0x89, 0x48, 0x44, 0x46]) { return foreign("an HDF5 (Keras) file") }
    if begins([0x89, 0x50, 0x4E, 0x47]) { return foreign("a PNG picture") }
    if begins([0xFF, 0xD8, 0xFF]) { return foreign("a JPEG picture") }
    if begins([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]) { return foreign("a NumPy array") }
    if begins([0x7F, 0x45, 0x4C, 0x46]) || begins("MZ") { return foreign("a program") }
    if begins("%PDF") { return foreign("a PDF document") }
    return text(start, of: file)
  }

  /// Recognises texts that stand in for a model.
  private static func text(_ start: [UInt8], of file: InputFile) -> Fault? {
    let isBlank: (UInt8) -> Bool = { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    // No text begins with NUL among its first bytes; the length of a safetensors header does.
    guard !start.prefix(8).contains(0) else { return zeros(start, of: file) }
    var body = start[...]
    if body.starts(with: [0xEF, 0xBB, 0xBF]) { body = body.dropFirst(3) }
    body = body.drop(while: isBlank)
    let lower = String(decoding: body.prefix(512), as: UTF8.self).lowercased()
    func failed(_ what: String, _ hint: String) -> Fault {
      Fault(.downloadFailed, "is \(what)", path: file.path, offset: 0, hint: hint)
    }
    if lower.hasPrefix("version https://git-lfs") {
      let size = lower.split(separator: "\n").first { $0.hasPrefix("size ") }
        .flatMap { Int($0.dropFirst(5)) }
      let real = size.map { "; the real file has \($0) bytes" } ?? ""
      return failed("a git-lfs pointer, not the model\(real)", "run 'git lfs pull', or download it")
    }
    if lower.hasPrefix("<!doctype html") || lower.hasPrefix("<html") {
      return failed(
        "a web page, not the model", "the link needs a login or has expired; download it again")
    }
    if lower.hasPrefix("<?xml") || lower.hasPrefix("<error") {
      return failed(
        lower.contains("accessdenied")
          ? "an access-denied message (XML), not the model" : "an XML message, not the model",
        "the link needs a login or has expired; download it again")
    }
    if lower.hasPrefix("<") {
      return failed("a text in angle brackets (HTML or XML), not the model", "download it again")
    }
    // Eight bytes of text would be a header length far beyond the limit.
    let isText = start.prefix(64).allSatisfy { isBlank($0) || (0x20...0x7E).contains($0) }
    if file.byteCount >= 8, isText {
      return lower.hasPrefix("{")
        ? failed("a JSON text, not the model", "read it: it may say why the download failed")
        : failed("a plain text, not the model", "read it: it may say why the download failed")
    }
    return nil
  }

  /// Recognises room on the disk that was never filled.
  private static func zeros(_ start: [UInt8], of file: InputFile) -> Fault? {
    guard start.count >= 8, start.allSatisfy({ $0 == 0 }) else { return nil }
    return Fault(
      .downloadFailed, "is filled with zeros where a model begins", path: file.path, offset: 0,
      hint: "the download was reserved but never arrived")
  }
}
