import ArgumentParser
import Checkpoint
import Drawing
import Inspection
import Reporting
import Tensors

extension SDTool {
  /// The command `sdtool report`, which says everything about models on one page.
  struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes everything about a model on one page: pictures, tables, findings.",
      discussion: """
        An HTML page that needs nothing else: it works offline, prints, and is light or dark as the \
        browser. Identity, findings, components, the network drawn with tooltips, sizes by merge \
        place, the merge recipe as a graph, training metadata, layers and tensors. With two models \
        it also says how they differ.

        Values are read once, unless --quick is given. Hashing takes longer than all else and is \
        done with --hash; hashes that are known from a merge are shown in any case.

        EXAMPLES
          sdtool report model.safetensors -o report.html
          sdtool report --quick model.safetensors --format markdown
          sdtool report a.safetensors b.safetensors -o difference.html

        EXIT CODES
          0 written, 2 a file is unreadable or the report cannot be written, 64 wrong usage
        """)

    @Argument(help: ArgumentHelp("Model files or folders.", valueName: "model"))
    var files: [String]

    @Option(
      name: [.short, .customLong("output")],
      help: ArgumentHelp("The file to make (default: standard output).", valueName: "file"))
    var output: String?

    @Option(
      help: ArgumentHelp(
        "\(ModelReportFormat.allCases.map(\.rawValue).joined(separator: ", ")) "
          + "(default: by the suffix of the output, else text).", valueName: "format"))
    var format: ModelReportFormat?

    @Flag(help: "Read headers only.")
    var quick = false

    @Flag(help: "Hash the files.")
    var hash = false

    @Option(
      help: ArgumentHelp(
        "The size of the picture that shapes are for, width first.", valueName: "size"))
    var size = "512x512"

    @Flag(help: "Replace an existing output.")
    var force = false

    @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
    var variant: String?

    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func validate() throws {
      if files.isEmpty { throw ValidationError("name at least one file or folder") }
      if files.count > 26 { throw ValidationError("a report has room for 26 models") }
    }

    /// Checks that the output is no file of a model; a model that cannot be opened is reported later.
    private func checkOutput() throws(Fault) {
      guard output != nil else { return }
      let sources = files.compactMap { try? openModel(path: $0, variant: variant) }
      try checkPage(output, inputs: sources.flatMap(\.files), replacing: force)
    }

    func run() throws {
      var isReadable = true
      try orFail { () throws(Fault) in
        try checkOutput()
        let chosenFormat = try outputFormat(of: output, chosen: format, else: .text)
        var options = ReportOptions()
        options.readsValues = !quick
        options.hashes = hash
        options.threads = machine.threads ?? availableProcessors
        options.variant = variant
        options.version = SDTool.version
        options.resolution = try option("--size") { () throws(Fault) in try Resolution(size) }
        options.environment = { Terminal.environment($0) }
        let report = try Reporting.Report(paths: files, options: options)
        isReadable = report.isReadable
        let rendered =
          chosenFormat == .text
          ? report.text(
            width: output == nil ? text.width : 100, style: output == nil ? text.style : .plain)
          : try report.rendered(as: chosenFormat)
        try writeBytes(Array(rendered.utf8), to: output, replacing: force)
      }
      if !isReadable { throw ExitCode.unreadable }
    }
  }
}
