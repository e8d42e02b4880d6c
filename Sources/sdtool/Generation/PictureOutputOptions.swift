import ArgumentParser
import Generation
import Inspection
import Pictures
import Tensors

/// Where pictures go and what is said about them.
struct PictureOutputOptions: ParsableArguments {
  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("The PNG file; several get their seeds added.", valueName: "file"))
  var output: String

  @Option(
    help: ArgumentHelp(
      "Make one sheet of pictures; at most two of: \(GridAxis.names.joined(separator: ", ")). "
        + "alpha and mbw need a recipe as model, lora a --lora; block weights beside an alpha are "
        + "taken times alpha. Only what a value changes is merged anew.", valueName: "name=values"))
  var grid: [String] = []

  @Option(
    help: ArgumentHelp(
      "A PNG file that shows the picture as far as it is, replaced after each step: colours and "
        + "shapes without details.", valueName: "file"))
  var preview: String?

  @Option(help: ArgumentHelp("Renew the preview after so many steps.", valueName: "steps"))
  var previewEvery = 1

  @Flag(help: "Do not hash the model for the PNG's parameters.")
  var noHash = false

  @Flag(help: "Replace existing files.")
  var force = false

  @Flag(help: "Write the report as JSON.")
  var json = false

  @Flag(help: "Say nothing.")
  var quiet = false

  @OptionGroup var text: OutputOptions

  /// The file of the preview, if one is wanted.
  var previews: [String] { [preview].compactMap(\.self) }

  func validate() throws {
    if grid.count > 2 { throw ValidationError("a sheet has two directions; give --grid twice") }
    if !(1...1000).contains(previewEvery) {
      throw ValidationError("--preview-every must be from 1 to 1000")
    }
    if preview == output, preview != nil {
      throw ValidationError("--preview and --output must be different files")
    }
  }
}

/// The file that shows how far a picture is; it is there whole or not at all.
final class PreviewFile {
  private let path: String
  private let interval: Int
  private let isQuiet: Bool
  private var isBroken = false

  /// What tells a preview from other pictures, which must not be replaced.
  private static let mark = MetadataEntry(key: "Software", value: "sdtool preview")

  /// Whether the file at `path` is an earlier preview.
  static func isPreview(_ path: String) -> Bool {
    (try? PictureTexts(path: path))?[mark.key] == mark.value
  }

  /// The file that was asked for, if one was.
  init?(_ options: PictureOutputOptions) {
    guard let path = options.preview else { return nil }
    self.path = path
    interval = options.previewEvery
    isQuiet = options.quiet
  }

  /// Replaces the file, if it is time.
  func show(_ preview: LatentPreview) {
    guard !isBroken, preview.step % interval == 0 || preview.step == preview.stepCount else {
      return
    }
    do throws(Fault) {
      try preview.picture.writePNG(to: path, texts: [Self.mark], replacing: true)
    } catch {
      // The picture itself may still be written.
      isBroken = true
      if !isQuiet {
        Terminal.writeError("sdtool: no more previews: " + error.description.sanitized)
      }
    }
  }
}
