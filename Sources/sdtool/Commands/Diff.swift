import ArgumentParser
import Checkpoint
import Comparison
import Drawing
import Glibc
import Inspection
import JSON
import Merge
import Reporting
import Tensors

extension SDTool {
  /// The command `sdtool diff`, which tells where models differ.
  struct Diff: ParsableCommand {
    /// How the result is written.
    enum Format: String, CaseIterable, ExpressibleByArgument {
      case text, json, csv, markdown, html, svg, png
    }

    static let configuration = CommandConfiguration(
      abstract: "Shows where two or three models differ, or what merge made one of others.",
      discussion: """
        Tensors are compared with their counterparts in the network, whatever layout, names or \
        types the models have. Distances are relative to the first model; with three models, both \
        others are compared with it, and the cosine says whether they changed the same way.

        With --explain RESULT, the weights are computed with which RESULT was merged, place by \
        place: A + w(B − A) of two models, A + w(B − C) of three.

        The models count as different if a tensor's relative L2 distance is greater than \
        --tolerance, if tensors are missing or of another shape, or if NaN or infinities come or \
        go. Another type of the same values is no difference.

        EXAMPLES
          sdtool diff a.safetensors b.ckpt
          sdtool diff base.safetensors one.safetensors other.safetensors --top 20
          sdtool diff model.safetensors model-diffusers/ --tolerance 1e-3 --json
          sdtool diff a.safetensors b.safetensors -o difference.html
          sdtool diff --explain merged.safetensors a.safetensors b.safetensors -o recipe.yaml

        EXIT CODES
          0 no differences beyond --tolerance, or an explanation that fits; 1 differences, or no \
        explanation that fits; 2 a file is unreadable or the models cannot be compared; 64 wrong \
        usage
        """)

    @Argument(help: ArgumentHelp("The models: A, B, and perhaps C.", valueName: "model"))
    var models: [String] = []

    @Option(help: ArgumentHelp("A merge of the models, to be explained.", valueName: "result"))
    var explain: String?

    @Option(
      name: [.short, .customLong("output")],
      help: ArgumentHelp(
        "The file to make (default: standard output); with --explain the recipe.",
        valueName: "path"))
    var output: String?

    @Option(
      help: ArgumentHelp(
        "The greatest relative L2 distance of a tensor that is no difference.", valueName: "x"))
    var tolerance: Double = 0

    @Option(help: ArgumentHelp("How many tensors to list.", valueName: "n"))
    var top: Int = 10

    @Option(
      help: ArgumentHelp(
        "The form of the output; csv has one line a tensor, html, svg and png draw two models "
          + "(default: by the suffix of the output, else text)."))
    var format: Format?

    @Flag(help: "Write JSON.")
    var json = false

    @Flag(help: "Write one line of comma-separated values for each tensor.")
    var csv = false

    @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
    var variant: String?

    @Flag(help: "Say nothing; the exit code tells.")
    var quiet = false

    @OptionGroup var picture: PictureOptions
    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func validate() throws {
      guard (2...3).contains(models.count) else {
        throw ValidationError("name two models, or three")
      }
      guard tolerance >= 0, tolerance.isFinite else {
        throw ValidationError("--tolerance must be a number that is not negative")
      }
      guard top >= 0 else { throw ValidationError("--top must not be negative") }
      if (json || csv) && format != nil || json && csv {
        throw ValidationError("choose one of --format, --json and --csv")
      }
      // A suffix that stands for no format is refused later, like everything that is read.
      guard let chosen = try? chosenFormat() else { return }
      if explain != nil, ![.text, .json, .markdown].contains(chosen) {
        throw ValidationError("an explanation is not written as \(chosen.rawValue)")
      }
      if models.count == 3, PictureFormat(rawValue: chosen.rawValue) != nil {
        throw ValidationError("three models are not written as \(chosen.rawValue), only two")
      }
      try checkTerminal(isPNG: chosen == .png, output: output)
    }

    /// The form of the output; with `--explain` a file is the recipe's.
    private func chosenFormat() throws(Fault) -> Format {
      try outputFormat(
        of: explain == nil ? output : nil, chosen: json ? .json : csv ? .csv : format, else: .text)
    }

    var threads: Int { machine.threads ?? availableProcessors }

    func run() throws {
      let differ = try orFail { () throws(Fault) in
        if let explain { return try explanation(of: explain) }
        let format = try chosenFormat()
        let sources = try open(models)
        try checkPage(output, inputs: sources.flatMap(\.files), replacing: picture.force)
        return sources.count == 2
          ? try compareTwo(sources, format) : try compareThree(sources, format)
      }
      if differ { throw ExitCode.findings }
    }

    /// Opens models; a fault names the file.
    func open(_ paths: [String]) throws(Fault) -> [any TensorSource] {
      var sources: [any TensorSource] = []
      for path in paths {
        do throws(Fault) {
          sources.append(try openModel(path: path, variant: variant))
        } catch {
          throw error.at(path)
        }
      }
      return sources
    }

    /// Shows progress while `body` reads `sources`.
    func reading<Result>(
      _ sources: [any TensorSource],
      _ body: (_ progress: @Sendable (Int) -> Void) throws(Fault) -> Result
    ) throws(Fault) -> Result {
      let total = sources.reduce(0) { total, source in
        source.tensors.reduce(total) { $0.addingReportingOverflow($1.byteCount).partialValue }
      }
      let progress = Progress(
        total: total, isShown: !quiet && Terminal.isErrorInteractive, label: "comparing")
      do throws(Fault) {
        let result = try body(progress.add)
        _ = progress.finish()
        return result
      } catch {
        _ = progress.finish()
        throw error
      }
    }

    private func compareTwo(
      _ sources: [any TensorSource], _ format: Format
    ) throws(Fault) -> Bool {
      let difference = try reading(sources) { progress throws(Fault) in
        try ModelDifference.compare(sources[0], sources[1], width: threads, progress: progress)
      }
      switch format {
      case .svg, .png:
        try difference.checkDrawable()
        try picture.write(
          .init(scene: difference.heatMap.scene), to: output,
          as: format == .svg ? .svg : .png)
      case .html:
        let page = Document(
          difference, InspectedModel(sources[0]).identity, InspectedModel(sources[1]).identity)
        try write(page.html(version: SDTool.version))
      default:
        try show(
          format, json: { difference.json }, csv: { difference.csv },
          markdown: { difference.markdown(top: top) },
          lines: { difference.lines(top: top, width: $0, style: $1) })
      }
      return !difference.exceeding(tolerance).isEmpty
    }

    private func compareThree(
      _ sources: [any TensorSource], _ format: Format
    ) throws(Fault) -> Bool {
      let both = try reading(sources) { progress throws(Fault) in
        try ThreeWayDifference.compare(
          sources[0], sources[1], sources[2], width: threads, progress: progress)
      }
      try show(
        format, json: { both.json }, csv: { both.csv }, markdown: { both.markdown(top: top) },
        lines: { both.lines(top: top, width: $0, style: $1) })
      return !both.b.exceeding(tolerance).isEmpty || !both.c.exceeding(tolerance).isEmpty
    }

    /// Writes the result in one of the forms that are words; text of a width, in a style.
    func show(
      _ format: Format, json: () -> JSONValue, csv: () -> String, markdown: () -> String,
      lines: (Int, Style) -> [String]
    ) throws(Fault) {
      switch format {
      case .json: try write(try json().serialized(pretty: true) + "\n")
      case .csv: try write(csv())
      case .markdown: try write(markdown())
      case .text, .html, .svg, .png:
        let isFile = output != nil && explain == nil
        let all = lines(isFile ? 100 : text.width, isFile ? .plain : text.style)
        try write(all.joined(separator: "\n") + "\n")
      }
    }

    /// Writes to the output, which with `--explain` is the recipe's.
    private func write(_ words: String) throws(Fault) {
      let output = explain == nil ? output : nil
      guard output != nil || !quiet else { return }
      try writeBytes(Array(words.utf8), to: output, replacing: picture.force)
    }
  }
}

extension SDTool.Diff {
  /// Where a model is, seen from the folder of a recipe, since that is how recipes are read.
  private func relativePath(of model: String, from recipe: String) -> String {
    guard !model.hasPrefix("/") else { return model }
    let slash = recipe.lastIndex(of: "/")
    let folder = slash.map { $0 == recipe.startIndex ? "/" : String(recipe[..<$0]) } ?? "."
    guard let from = realPath(folder), let to = realPath(model) else { return model }
    let start = from.split(separator: "/"), end = to.split(separator: "/")
    let common = zip(start, end).prefix { $0 == $1 }.count
    return (Array(repeating: "..", count: start.count - common) + end[common...])
      .joined(separator: "/")
  }

  /// The path from the root, without links and points.
  private func realPath(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  /// Explains the model at `path`; returns whether that failed.
  private func explanation(of path: String) throws(Fault) -> Bool {
    let result = try open([path])[0]
    let inputs = try open(models)
    if let output {
      // Before anything is read; a recipe takes a few hundred bytes.
      try checkOutput(
        output, inputs: (inputs + [result]).flatMap(\.files), byteCount: 1 << 16,
        replacing: picture.force)
    }
    let explanation = try reading(inputs + [result]) { progress throws(Fault) in
      try MergeExplanation.explain(result, from: inputs, width: threads, progress: progress)
    }
    if let output {
      let paths = models.map { relativePath(of: $0, from: output) }
      try writeBytes(
        Array(explanation.recipeFile(paths: paths).utf8), to: output, replacing: picture.force)
    }
    try show(
      try chosenFormat(), json: { explanation.json(paths: models) }, csv: { "" },
      markdown: { explanation.markdown() },
      lines: { width, style in
        var lines = explanation.lines(top: top, width: width, style: style)
        if let output {
          let line: StyledText = "\("wrote", .good) the recipe \(output, .name)"
          lines += ["", line.rendered(style)]
        }
        return lines
      })
    return !explanation.fits
  }
}
