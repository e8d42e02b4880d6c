import ArgumentParser
import Checkpoint
import Comparison
import Inspection
import JSON
import StableDiffusion
import Tensors

extension SDTool {
  /// The command `sdtool ancestry`, which tells how models are related.
  struct Ancestry: ParsableCommand {
    /// How the result is written.
    enum Format: String, CaseIterable, ExpressibleByArgument { case text, json, csv, dot }

    static let configuration = CommandConfiguration(
      abstract: "Shows how models are related: copies, merges, shared parts.",
      discussion: """
        Compares every model with every other by a sample of each tensor, and joins what is \
        nearest to a tree. Copies and shared text encoders and VAEs are confirmed by their hashes; \
        models that lie between two others are recognised as their merges, and merge recipes in \
        metadata are used.

        EXAMPLES
          sdtool ancestry models/
          sdtool ancestry models/ --format dot | dot -Tsvg > tree.svg
          sdtool ancestry a.safetensors b.safetensors c.ckpt --csv

        EXIT CODES
          0 compared, 2 a file is unreadable or the models cannot be compared, 64 wrong usage
        """)

    @Argument(help: ArgumentHelp("Model files, or folders of them.", valueName: "file"))
    var files: [String]

    @Option(help: "The form of the output: text, json, csv (distances) or dot (Graphviz).")
    var format: Format?

    @Flag(help: "Write JSON.")
    var json = false

    @Flag(help: "Write the distances as comma-separated values.")
    var csv = false

    @Flag(help: "Do not read parts that seem to be shared to confirm that by their hashes.")
    var noHash = false

    @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
    var variant: String?

    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func validate() throws {
      if files.isEmpty { throw ValidationError("name at least one file or folder") }
      if (json || csv) && format != nil || json && csv {
        throw ValidationError("choose one of --format, --json and --csv")
      }
    }

    func run() throws {
      let (sources, isWhole) = open()
      try orFail { () throws(Fault) in
        let ancestry = try Comparison.Ancestry.of(
          sources, hashes: !noHash, width: machine.threads ?? availableProcessors)
        switch json ? .json : csv ? .csv : format ?? .text {
        case .json: Terminal.write(try ancestry.json.serialized(pretty: true) + "\n")
        case .csv: Terminal.write(ancestry.csv)
        case .dot: Terminal.write(ancestry.dot)
        case .text:
          let lines = ancestry.lines(width: text.width, style: text.style)
          Terminal.write(lines.joined(separator: "\n") + "\n")
        }
      }
      if !isWhole { throw ExitCode.unreadable }
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
