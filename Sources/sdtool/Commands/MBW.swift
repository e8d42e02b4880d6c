import ArgumentParser
import Drawing
import Inspection
import JSON
import Merge
import Reporting
import Tensors

extension SDTool {
  /// The command `sdtool mbw`, which tells which block gets which weight.
  struct MBW: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "mbw",
      abstract: "Prints or draws the weights of a block-weighted merge.",
      discussion: """
        Shows for each place of the network its weight, what decided it, and how many tensors and \
        values it applies to, in the convention of the tool whose weights they are.

        EXAMPLES
          sdtool mbw GRAD_V
          sdtool mbw GRAD_V..COSINE@0.5 --block CLIP=0.2 --mbw-dialect supermerger-2023
          sdtool mbw --list-presets
          sdtool mbw GRAD_V -o grad.png
          sdtool mbw GRAD_V GRAD_A COSINE --format svg > three.svg

        EXIT CODES
          0 printed, 2 weights cannot be understood, 64 wrong usage
        """)

    @Argument(help: ArgumentHelp("Block weights, as --mbw takes them.", valueName: "weights"))
    var shown: [String] = []

    @OptionGroup var weights: MergeWeightOptions

    @Flag(help: "List the presets with a curve of their 25 blocks.")
    var listPresets = false

    @Flag(help: "List the dialects.")
    var listDialects = false

    @Flag(help: "Draw bars with # only.")
    var ascii = false

    @Flag(help: "Write JSON.")
    var json = false

    @Option(
      name: .customLong("with"),
      help: ArgumentHelp(
        "More weights, drawn beside the first; may be repeated.", valueName: "weights"))
    var with: [String] = []

    @Option(help: "Draw: svg, png or html (default: by the suffix of the output).")
    var format: PictureFormat?

    @Option(
      name: [.short, .customLong("output")],
      help: ArgumentHelp("Draw into this file.", valueName: "file"))
    var output: String?

    @OptionGroup var picture: PictureOptions
    @OptionGroup var text: OutputOptions

    /// Whether a picture is asked for.
    private var draws: Bool { format != nil || output != nil || !others.isEmpty }

    /// The weights beside the first.
    private var others: [String] { shown.dropFirst() + with }

    mutating func validate() throws {
      if let first = shown.first {
        guard weights.mbw == nil else {
          throw ValidationError("--mbw gives the weights already; leave out \(first.sanitized)")
        }
        weights.mbw = first
      }
      if draws, json || ascii || listDialects {
        throw ValidationError(
          "a picture holds neither JSON nor text: leave out the one or the other")
      }
      try checkTerminal(isPNG: format == .png, output: output)
      if !others.isEmpty, weights.mbw == nil {
        throw ValidationError("--with draws beside other weights, which are missing")
      }
    }

    func run() throws {
      try orFail { () throws(Fault) in
        if draws {
          let format = try outputFormat(of: output, chosen: format, else: .svg)
          try picture.write(.init(scene: try scene()), to: output, as: format)
        } else if listPresets {
          Terminal.write(try presetLines().joined(separator: "\n") + "\n")
        } else if listDialects {
          for dialect in Dialect.all {
            let line: StyledText = "\(dialect.name, .name): \(dialect.summary)"
            for part in line.wrapped(to: text.width) {
              Terminal.write(part.rendered(text.style) + "\n")
            }
          }
        } else {
          let table = try self.table()
          Terminal.write(
            json ? try table.json.serialized(pretty: true) + "\n" : table.text(isASCII: ascii))
        }
      }
    }

    private func table() throws(Fault) -> PlaceTable {
      let specification = try weights.specification() ?? WeightSpecification()
      return PlaceTable(try specification.resolved(in: weights.dialect()))
    }

    /// The weights as bars, or several presets side by side.
    private func scene() throws(Fault) -> Scene {
      let library = try weights.library()
      var shown = listPresets ? library.presets : []
      if let first = weights.mbw, !others.isEmpty {
        for text in [first] + others {
          let blocks = try option("--with") { () throws(Fault) in
            try BlockWeights(text, presets: library)
          }
          shown.append(Preset(text, blocks))
        }
      }
      guard !shown.isEmpty else { return try table().barChart(named: weights.mbw).scene }
      return presetGrid(
        of: shown,
        title: others.isEmpty ? Written.count(shown.count, "preset") : "Block weights side by side")
    }

    private func presetLines() throws(Fault) -> [String] {
      var table = TextTable([
        .init("preset"), .init("BASE", .right), .init("IN00 to OUT11"),
      ])
      for preset in try weights.library().presets {
        let curve = preset.weights.blocks.map { Self.step($0) }.joined()
        let base = preset.weights.base.map { Written.decimal($0, digits: 2) } ?? "–"
        table.append(["\(preset.name, .name)", "\(base)", "\(curve)"])
      }
      return table.lines(width: text.width, style: text.style)
    }

    /// A weight between 0 and 1 as a bar in one character.
    private static func step(_ weight: Double) -> String {
      let bars = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
      return bars[Int((min(max(weight, 0), 1) * 7).rounded())]
    }
  }
}
