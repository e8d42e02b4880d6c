import ArgumentParser
import Checkpoint
import Comparison
import Drawing
import Inspection
import JSON
import Reporting
import StableDiffusion
import Tensors

extension SDTool {
  /// The command `sdtool ancestry`, which tells how models are related.
  struct Ancestry: ParsableCommand {
    /// How the result is written.
    enum Format: String, CaseIterable, ExpressibleByArgument {
      case text, json, csv, markdown, html, svg, png, dot
    }

    static let configuration = CommandConfiguration(
      abstract: "Shows how models are related: copies, merges, shared parts.",
      discussion: """
        Compares every model with every other by a sample of each tensor, and joins what is \
        nearest to a tree. Copies and shared text encoders and VAEs are confirmed by their hashes; \
        models that lie between two others are recognised as their merges. Merge recipes in \
        metadata name what a model was made from by the hashes of the files: it is found whatever \
        it is called now.

        EXAMPLES
          sdtool ancestry models/
          sdtool ancestry models/ -o family.html
          sdtool ancestry models/ --format dot | dot -Tsvg > tree.svg
          sdtool ancestry a.safetensors b.safetensors c.ckpt --csv

        EXIT CODES
          0 compared, 2 a file is unreadable or the models cannot be compared, 64 wrong usage
        """)

    @Argument(help: ArgumentHelp("Model files, or folders of them.", valueName: "file"))
    var files: [String]

    @Option(
      help: ArgumentHelp(
        "The form of the output; csv holds the distances, dot is for Graphviz "
          + "(default: by the suffix of the output, else text)."))
    var format: Format?

    @Option(
      name: [.short, .customLong("output")],
      help: ArgumentHelp("The file to make (default: standard output).", valueName: "file"))
    var output: String?

    @Flag(help: "Write JSON.")
    var json = false

    @Flag(help: "Write the distances as comma-separated values.")
    var csv = false

    @Flag(
      help: "Hash nothing: name no shared parts, find recorded models by known hashes and names.")
    var noHash = false

    @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
    var variant: String?

    @OptionGroup var picture: PictureOptions
    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func validate() throws {
      if files.isEmpty { throw ValidationError("name at least one file or folder") }
      if (json || csv) && format != nil || json && csv {
        throw ValidationError("choose one of --format, --json and --csv")
      }
      try checkTerminal(isPNG: format == .png, output: output)
    }

    func run() throws {
      let (sources, isWhole) = open()
      try orFail { () throws(Fault) in
        let format = try outputFormat(
          of: output, chosen: json ? .json : csv ? .csv : format, else: .text)
        try checkPage(output, inputs: sources.flatMap(\.files), replacing: picture.force)
        try write(
          try Comparison.Ancestry.of(
            sources, hashes: !noHash, width: machine.threads ?? availableProcessors,
            environment: { Terminal.environment($0) }), as: format)
      }
      if !isWhole { throw ExitCode.unreadable }
    }

    private func write(_ ancestry: Comparison.Ancestry, as format: Format) throws(Fault) {
      let isFile = output != nil
      let words =
        switch format {
        case .json: try ancestry.json.serialized(pretty: true) + "\n"
        case .csv: ancestry.csv
        case .dot: ancestry.dot
        case .markdown: ancestry.document.markdown
        case .html: ancestry.document.html(version: SDTool.version)
        case .text:
          ancestry.lines(width: isFile ? 100 : text.width, style: isFile ? .plain : text.style)
            .joined(separator: "\n") + "\n"
        case .svg, .png: ""
        }
      if let format = PictureFormat(rawValue: format.rawValue), format != .html {
        let scene = ancestry.picture.scene()
        return try picture.write(.init(scene: scene), to: output, as: format)
      }
      try writeBytes(Array(words.utf8), to: output, replacing: picture.force)
    }

    /// Opens what can be opened, and names the rest; leaves out what is of another kind.
    private func open() -> (sources: [any TensorSource], isWhole: Bool) {
      var models: [InspectedModel] = []
      var isWhole = true
      for path in findModels(in: files) {
        do throws(Fault) {
          models.append(try InspectedModel(path: path, variant: variant))
        } catch {
          isWhole = false
          Terminal.writeError("sdtool: " + error.at(path).description.sanitized)
        }
      }
      let kinds = Dictionary(grouping: models, by: \.identity.kind)
      let most = models.map(\.identity.kind).max { a, b in
        (kinds[a]?.count ?? 0) < (kinds[b]?.count ?? 0)
      }
      for model in models where model.identity.kind != most {
        Terminal.writeError(
          "sdtool: left out \(model.source.path.sanitized): \(model.identity.title.sanitized), where most are \(most?.title ?? "")"
        )
      }
      return (models.filter { $0.identity.kind == most }.map(\.source), isWhole)
    }
  }
}
