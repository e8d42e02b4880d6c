import ArgumentParser
import Checkpoint
import Inspection
import StableDiffusion
import Tensors

extension SDTool {
  /// The command `sdtool validate`, which tells whether models are whole, sound and safe.
  struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Checks that models are whole, sound and safe; for people and for CI.",
      discussion: """
        Each FILE is a model file, a model folder, or a folder of models. Every value is read unless \
        --quick is given. Files are told apart by their contents, never by their suffix.

        --smoke also runs each model: one step of the U-Net, a prompt, and a picture through the VAE, \
        at a small size. What a merge gives is compared with what the models give that its metadata \
        name, where their files are found.

        EXAMPLES
          sdtool validate model.safetensors
          sdtool validate --smoke merged.safetensors
          sdtool validate --expect sd15 --fail-on warning models/
          sdtool validate --format sarif models/ > sdtool.sarif
          sdtool validate --write-baseline known.json models/
          sdtool validate --baseline known.json models/

        EXIT CODES
          0  nothing at or above --fail-on
          1  findings at or above --fail-on
          2  a file is unreadable, broken or unsafe
          64 wrong usage
        """)

    @Argument(
      help: ArgumentHelp("Model files, model folders, or folders of models.", valueName: "file"))
    var files: [String]

    @Option(
      help: ArgumentHelp(
        "What the models must be: \(Expectation.allCases.map(\.rawValue).joined(separator: ", ")).",
        valueName: "kind"))
    var expect: Expectation?

    @Option(
      name: .customLong("component"),
      help: ArgumentHelp(
        "Only these components, comma-separated: unet, vae, clip. They must be there.",
        valueName: "list"))
    var components: ComponentList?

    @Option(
      help: ArgumentHelp(
        "The least severity that fails: note, warning, error or fatal.", valueName: "level"))
    var failOn: Severity = .error

    @Flag(help: "Fail on every oddity, also valid ones; the same as --fail-on note.")
    var strict = false

    @Flag(help: "Check names, shapes and structure only; read no values.")
    var quick = false

    @Flag(help: "Also run every component once at a small size: the results must be finite.")
    var smoke = false

    @Option(
      name: .customLong("inputs"),
      help: ArgumentHelp(
        "Where --smoke looks for the models that a merge was made of, beside its own folder.",
        valueName: "folder"))
    var inputs: [String] = []

    @Option(
      help: ArgumentHelp(
        "Output: \(ReportFormat.allCases.map(\.rawValue).joined(separator: ", ")).",
        valueName: "format"))
    var format: ReportFormat = .text

    @Flag(help: "The same as --format json.")
    var json = false

    @Option(
      name: [.short, .customLong("output")],
      help: ArgumentHelp("Write the report to this file instead.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("Accept the findings listed in this file.", valueName: "file"))
    var baseline: String?

    @Option(
      help: ArgumentHelp("Write all findings to this file, as a baseline.", valueName: "file"))
    var writeBaseline: String?

    @Flag(help: "Show every finding; by default three of each rule and file.")
    var all = false

    @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
    var variant: String?

    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func validate() throws {
      if files.isEmpty { throw ValidationError("name at least one file or folder") }
      if !inputs.isEmpty, !smoke { throw ValidationError("--inputs goes with --smoke") }
      if json, format != .text, format != .json {
        throw ValidationError("--json and --format \(format.rawValue) contradict each other")
      }
    }

    func run() throws {
      let paths = findModels(in: files)
      var options = ValidationOptions()
      options.expected = expect
      options.components = components?.components
      options.readsValues = !quick
      options.variant = variant
      var report = Inspection.validate(
        paths, options: options, version: SDTool.version,
        threads: machine.threads ?? availableProcessors, progress: Terminal.showStatus)
      Terminal.clearStatus()
      try orFail { () throws(Fault) in
        for written in [writeBaseline, output].compactMap(\.self) {
          try checkOutput(written, isNoneOf: paths)
        }
        if smoke { report = try smokeTested(report) }
        if let writeBaseline { try Baseline(accepting: report).write(to: writeBaseline) }
        if let baseline { report = try Baseline(path: baseline).applied(to: report) }
        let layout = TextReportLayout(
          style: output == nil ? text.style : .plain, width: text.width, limit: all ? nil : 3)
        let rendered = try report.rendered(
          as: json ? .json : format, layout: layout, failOn: threshold, rules: allRules)
        try write(rendered)
      }
      if paths.isEmpty {
        Terminal.writeError("sdtool: no model files in \(files.joined(separator: ", "))")
        throw ExitCode.unreadable
      }
      let code = report.exitCode(failOn: threshold)
      if code != 0 { throw ExitCode(code) }
    }

    private var threshold: Severity { strict ? .note : failOn }

    private func write(_ rendered: String) throws(Fault) {
      guard let output else { return Terminal.write(rendered) }
      let bytes = Array(rendered.utf8)
      let file = try OutputFile(path: output, byteCount: bytes.count, replacing: true)
      try unsafe file.write(bytes.span.bytes, at: 0)
      try file.commit()
    }
  }
}
