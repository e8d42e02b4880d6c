import ArgumentParser
import Drawing
import Inspection
import Merge
import Reporting
import StableDiffusion
import Tensors

extension SDTool {
  /// The command `sdtool draw`, which makes pictures of the network and of what is in a model.
  struct Draw: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Draws the network, plain or coloured by what a model holds.",
      discussion: """
        Without a model the network of Stable Diffusion 1.5 is drawn: text encoder, U-Net with its \
        skip connections, and VAE, with the shapes at a resolution, numbers of values and \
        normalisations. With a model its own widths are taken.

        --color-by takes one of
          mbw:WEIGHTS     block weights, as sdtool merge --mbw takes them
          diff:OTHER      how far each block of another model is from this one's, relative to \
        this one's, as sdtool diff MODEL OTHER
          lora:FILE       how much a LoRA changes each block
          validate        the gravest finding in each block; reads all values
          dtype           the element types

        EXAMPLES
          sdtool draw -o network.svg
          sdtool draw --size 768x512 --theme dark -o network.png
          sdtool draw --color-by mbw:GRAD_V -o weights.svg
          sdtool draw model.safetensors --color-by diff:other.safetensors -o change.png
          sdtool draw model.safetensors --chart histogram --by role -o weights.png
          sdtool draw model.safetensors --chart heatmap --with other.safetensors -o heat.svg

        EXIT CODES
          0 drawn, 2 cannot be drawn, read or written, 64 wrong usage
        """)

    /// The pictures there are.
    enum Chart: String, CaseIterable, ExpressibleByArgument { case network, histogram, heatmap }

    @Argument(help: ArgumentHelp("A model file or folder.", valueName: "model"))
    var model: String?

    @Option(help: "What to draw: network, histogram (of values) or heatmap (places × layers).")
    var chart: Chart = .network

    @Option(
      help: ArgumentHelp(
        "The size of the picture that the shapes are for, width first.", valueName: "size"))
    var size = "512x512"

    @Option(
      help: ArgumentHelp(
        "mbw:WEIGHTS, diff:OTHER, lora:FILE, validate or dtype.", valueName: "what"))
    var colorBy: String?

    @Option(help: "The dialect of mbw: weights, as for sdtool merge.")
    var mbwDialect: String?

    @Option(
      name: .customLong("with"),
      help: ArgumentHelp("The other model of a heat map.", valueName: "model"))
    var other: String?

    @Option(help: "Histograms for each: all, component, role, place or tensor.")
    var by: HistogramGrouping = .role

    @Option(
      help: ArgumentHelp("Count only tensors whose names fit a pattern.", valueName: "pattern"))
    var tensors = "*"

    @Flag(help: "One component below the other, for narrow screens.")
    var narrow = false

    @Option(help: "svg, png or html (default: by the suffix of the output, else svg).")
    var format: PictureFormat?

    @Option(
      name: [.short, .customLong("output")],
      help: ArgumentHelp("The file to make (default: standard output).", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
    var variant: String?

    @OptionGroup var picture: PictureOptions
    @OptionGroup var machine: MachineOptions

    func validate() throws {
      if chart != .network, model == nil {
        throw ValidationError("--chart \(chart.rawValue) needs a model")
      }
      if chart == .heatmap, other == nil {
        throw ValidationError("--chart heatmap needs another model: --with OTHER")
      }
      try checkTerminal(isPNG: format == .png, output: output)
    }

    func run() throws {
      try orFail { () throws(Fault) in
        let drawing = try drawing()
        try picture.write(drawing, to: output, as: chosenFormat())
      }
    }

    private func chosenFormat() throws(Fault) -> PictureFormat {
      try outputFormat(of: output, chosen: format, else: .svg)
    }

    private func drawing() throws(Fault) -> Document.Picture {
      let resolution = try option("--size") { () throws(Fault) in try Resolution(size) }
      let opened = try model.map { path throws(Fault) in
        let opened = try InspectedModel(path: path, variant: variant)
        try check(opened.source)
        return opened
      }
      // Before anything is read to its end.
      _ = try chosenFormat()
      switch chart {
      case .network: break
      case .histogram, .heatmap: return .init(scene: try valueChart(opened))
      }
      if let opened, opened.identity.kind != .stableDiffusion1 {
        throw Fault(
          .drawingModel, "is not a Stable Diffusion 1.x model", path: opened.source.path,
          expected: "Stable Diffusion 1.x", found: opened.identity.title,
          hint: "sdtool inspect says what is in it")
      }
      let schema = opened?.identity.schema ?? .sd15
      let coloring = try colorBy.map { text throws(Fault) in
        try option("--color-by") { () throws(Fault) in
          try self.coloring(text, schema: schema, model: opened)
        }
      }
      let title =
        opened.map { "\(fileName(of: $0.source.path)) · \($0.identity.title)" }
        ?? "Stable Diffusion 1.5"
      func scene(_ arrangement: Scene.Arrangement) -> Scene {
        .network(
          schema, title: title, resolution: resolution, coloring: coloring,
          arrangement: arrangement)
      }
      return .init(scene: scene(narrow ? .narrow : .wide), narrow: scene(.narrow))
    }

    /// Checks that the output is no file of a model that is read.
    func check(_ source: any TensorSource) throws(Fault) {
      try checkPage(output, inputs: source.files, replacing: picture.force)
    }

    private func coloring(
      _ text: String, schema: Schema, model: InspectedModel?
    ) throws(Fault) -> Coloring {
      let colon = text.firstIndex(of: ":")
      let kind = String(text[..<(colon ?? text.endIndex)]).lowercased()
      let rest = colon.map { String(text[text.index(after: $0)...]) } ?? ""
      func needed() throws(Fault) -> InspectedModel {
        if let model { return model }
        throw Fault(
          .unknownColoring, "needs a model to colour by '\(kind)'",
          hint: "name one: sdtool draw MODEL --color-by \(text.prefix(80))")
      }
      switch kind {
      case "mbw" where !rest.isEmpty:
        let dialect = try mbwDialect.map { name throws(Fault) in try Dialect(named: name) } ?? .mbw
        let weights = WeightSpecification(blocks: try BlockWeights(rest))
        return .weights(
          try weights.resolved(in: dialect), named: rest.contains(",") ? "a list" : rest,
          schema: schema)
      case "diff" where !rest.isEmpty: return try difference(try needed(), from: rest)
      case "lora" where !rest.isEmpty: return try effect(of: rest, on: model, schema: schema)
      case "validate":
        let own = try needed()
        var options = ValidationOptions()
        options.variant = variant
        let report = Inspection.validate(
          [own.source.path], options: options, version: SDTool.version,
          threads: machine.threads ?? availableProcessors)
        return .findings(report.files.flatMap(\.allFindings), identity: own.identity)
      case "dtype": return .types(of: try needed().identity)
      case "mbw", "diff", "lora":
        throw Fault(
          .unknownColoring, "says no more than '\(kind)'",
          expected: kind == "mbw" ? "mbw:WEIGHTS" : "\(kind):FILE", found: "'\(text.prefix(80))'")
      default:
        let known = ["mbw", "diff", "lora", "validate", "dtype"]
        // The padding lets two letters that changed places count as near in a short word.
        let near = nearest(to: kind + "::::", in: known.map { $0 + "::::" }).map {
          "did you mean '\($0.prefix { $0 != ":" })'?"
        }
        throw Fault(
          .unknownColoring, "cannot be '\(kind.prefix(80))'",
          expected: "mbw:WEIGHTS, diff:OTHER, lora:FILE, validate or dtype",
          hint: near)
      }
    }
  }
}

/// The last part of a path.
func fileName(of path: String) -> String {
  path.split(separator: "/").last.map(String.init) ?? path
}
