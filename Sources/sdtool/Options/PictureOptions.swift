import ArgumentParser
import Drawing
import Glibc
import Tensors

/// The formats of pictures.
enum PictureFormat: String, CaseIterable, ExpressibleByArgument { case svg, png }

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
  ///   - scene: the picture.
  ///   - output: the file; standard output if `nil`.
  ///   - format: the format; by the suffix of the file if `nil`, else SVG.
  /// - Throws: what drawing a PNG and writing a file throw.
  func write(_ scene: Scene, to output: String?, as format: PictureFormat?) throws(Fault) {
    let byName: PictureFormat = output?.lowercased().hasSuffix(".png") == true ? .png : .svg
    switch format ?? byName {
    case .svg:
      try writeBytes(Array(scene.svg(theme: theme).utf8), to: output, replacing: force)
    case .png:
      try writeBytes(try scene.png(theme: theme, scale: scale), to: output, replacing: force)
    }
  }
}

/// Writes bytes to a file that appears complete or not at all, or to standard output.
func writeBytes(_ bytes: [UInt8], to output: String?, replacing: Bool) throws(Fault) {
  guard let output else { return Terminal.write(bytes) }
  let file = try OutputFile(path: output, byteCount: bytes.count, replacing: replacing)
  try unsafe file.write(bytes.span.bytes, at: 0)
  try file.commit()
}
