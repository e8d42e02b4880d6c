import ArgumentParser
import Drawing
import Glibc
import Reporting
import Tensors

/// The formats of pictures.
enum PictureFormat: String, CaseIterable, ExpressibleByArgument { case svg, png, html }

/// How pictures are written.
struct PictureOptions: ParsableArguments {
  @Option(help: "The background that the picture is for: light or dark.")
  var theme: Theme = .light

  @Option(help: "Pixels of a PNG for each unit of the picture (default: 2).")
  var scale: Double = 2

  @Flag(help: "Replace an existing output.")
  var force = false

  func validate() throws {
    if !(0.1...16).contains(scale) { throw ValidationError("--scale must be from 0.1 to 16") }
  }

  /// Writes a picture to a file, or to standard output.
  ///
  /// - Parameters:
  ///   - picture: the picture; a page shows what fits its width, and is light or dark as the browser.
  ///   - output: the file; standard output if `nil`.
  ///   - format: the format.
  /// - Throws: what drawing a PNG and writing a file throw.
  func write(
    _ picture: Document.Picture, to output: String?, as format: PictureFormat
  ) throws(Fault) {
    let scene = picture.scene
    let bytes =
      switch format {
      case .svg: Array(scene.svg(theme: theme).utf8)
      case .png: try scene.png(theme: theme, scale: scale)
      case .html: Array(Document(picture).html(version: SDTool.version).utf8)
      }
    try writeBytes(bytes, to: output, replacing: force)
  }
}

/// The format that was chosen, or that the suffix of the output stands for.
///
/// - Parameters:
///   - output: the file that is to be written, if it is one.
///   - chosen: what `--format` says.
///   - common: the format of what has no suffix.
/// - Returns: the format.
/// - Throws: ``Rule/unknownSuffix`` for a suffix that stands for no format that there is.
func outputFormat<Format: CaseIterable & RawRepresentable<String>>(
  of output: String?, chosen: Format?, else common: Format
) throws(Fault) -> Format {
  if let chosen { return chosen }
  guard let output, let suffix = suffix(of: output) else { return common }
  let names = ["htm": "html", "md": "markdown", "txt": "text"]
  if let format = Format(rawValue: names[suffix] ?? suffix) { return format }
  let suffixes = ["markdown": "md", "text": "txt"]
  throw .unknownSuffix(
    output, known: Format.allCases.map { "." + (suffixes[$0.rawValue] ?? $0.rawValue) })
}

/// Refuses to write a PNG to a terminal.
func checkTerminal(isPNG: Bool, output: String?) throws {
  if isPNG, output == nil, Terminal.isInteractive {
    throw ValidationError("a PNG does not belong on a terminal: give -o FILE")
  }
}

/// The suffix of a file's name in small letters, without the point; `nil` if there is none.
///
/// What lies under `/dev` is no file with a name of its own, and names that begin with a point have
/// no suffix.
func suffix(of path: String) -> String? {
  guard !path.hasPrefix("/dev/") else { return nil }
  let name = fileName(of: path)
  guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return nil }
  return name[name.index(after: dot)...].lowercased()
}

extension Fault {
  /// A file's name does not say in which format it is to be written.
  static func unknownSuffix(_ path: String, known: [String]) -> Fault {
    Fault(
      .unknownSuffix, "ends in no suffix that stands for a format", path: path,
      expected: known.joined(separator: ", "), hint: "give another name, or --format")
  }
}

/// Checks, before anything is read to its end, that an output is none of the inputs.
///
/// - Throws: what ``Tensors/checkOutput(_:inputs:byteCount:replacing:)`` throws.
func checkPage(_ output: String?, inputs: [InputFile], replacing: Bool) throws(Fault) {
  guard let output else { return }
  // Pages and pictures take some hundred kilobytes.
  try checkOutput(output, inputs: inputs, byteCount: 1 << 16, replacing: replacing)
}

/// Writes bytes to a file that appears complete or not at all, or to standard output.
func writeBytes(_ bytes: [UInt8], to output: String?, replacing: Bool) throws(Fault) {
  guard let output else { return Terminal.write(bytes) }
  let file = try OutputFile(path: output, byteCount: bytes.count, replacing: replacing)
  try unsafe file.write(bytes.span.bytes, at: 0)
  try file.commit()
}
