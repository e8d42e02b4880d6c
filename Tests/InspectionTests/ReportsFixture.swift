import Inspection
import Tensors

/// A small report with one file of each kind.
enum ReportsFixture {
  static let missing = Rule("XX001", .error, "missing tensor", "A tensor is not there.")
  static let shape = Rule("XX002", .error, "wrong shape", "A tensor has another shape.")
  static let values = Rule("XX003", .warning, "NaN values", "Values are not numbers.")
  static let remark = Rule("XX004", .note, "EMA weights", "There is a second set of weights.")
  static let unsafe = Rule("XX005", .fatal, "pickle calls a function", "It would run code.")

  static let missingTensors = (0..<7).reversed().map { index in
    Fault(
      missing, "is missing", tensor: TensorName("model.out.\(index).weight"), expected: "[4, 320]",
      hint: "the download may have been interrupted")
  }

  static let broken = FileReport(
    path: "models/broken.ckpt", title: "Stable Diffusion 1.5",
    findings: [
      Fault(remark, "holds EMA weights"),
      Fault(values, "holds 12 NaN values", offset: 123_456, byteCount: 24, tensor: "a.weight"),
      Fault(
        shape, "has the wrong shape", tensor: "model.in.weight", expected: "[320, 4, 3, 3]",
        found: "[320, 9, 3, 3]", hint: "9 input channels: this is an inpainting model"),
    ] + missingTensors, seconds: 1.234)

  static let clean = FileReport(
    path: "models/clean.safetensors", title: "Stable Diffusion 1.5", seconds: 0.31)

  static let evil = FileReport(
    path: "models/evil.pt",
    findings: [
      Fault(unsafe, "would call a function", found: "os.system", hint: "do not load it")
    ])

  static let truncated = FileReport(
    path: "models/trunc.safetensors",
    unreadable: Fault(.fileTruncated, "ends early", offset: 4096, expected: "9 bytes", found: "1"))

  static let report = ValidationReport(
    version: "1.0.0", files: [truncated, clean, evil, broken])

  /// Texts that mean something to a terminal, to HTML, XML, Markdown, a workflow or a reader.
  static let attacks = [
    "\u{1B}[31mred\u{1B}[0m", "\u{9B}31m", "two\nlines\r\nmore", "a\u{202E}txt.exe", "\u{2066}x",
    "zero\u{200B}width", "<script>alert(1)</script>", "]]>", "&amp;", "\"'><b x='",
    "::error file=x::y", "\n::set-output name=a::b", "%0A::warning::x", "a|b|c", "`code` ```",
    "**bold** _it_ ~~x~~", "[click](https://evil.example)", "![i](x)", "@everyone #1",
    "http://evil.example", "www.evil.example", "\0nul", "\u{FFFF}\u{FFFE}", "{0} {{1}}", "-->",
    "| --- |", "\u{8}\u{7F}", "\\", "",
  ]

  /// A report in which everything that may come from a file is `attack`.
  static func report(attackedBy attack: String) -> ValidationReport {
    let fault = Fault(
      missing, "is missing \(attack)", tensor: TensorName(attack), expected: attack,
      found: attack, hint: attack)
    var error = fault
    error.rule = .fileTruncated
    return ValidationReport(
      version: "1.0.0",
      files: [
        FileReport(path: "a" + attack, title: attack, findings: [fault, fault], unreadable: error),
        FileReport(path: "b" + attack, title: attack),
      ])
  }
}
