import ArgumentParser
import Generation
import Inference
import Inspection
import JSON
import Pictures
import Prompts
import Sampling
import Tensors
import Vocabulary

/// Where pictures go and what is said about them.
struct PictureOutputOptions: ParsableArguments {
  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("The PNG file; several get their seeds added.", valueName: "file"))
  var output: String

  @Option(
    help: ArgumentHelp(
      "Make one sheet of pictures; at most two of: \(GridAxis.names.joined(separator: ", ")). "
        + "alpha and mbw need a recipe as model.", valueName: "name=values"))
  var grid: [String] = []

  @Flag(help: "Do not hash the model for the PNG's parameters.")
  var noHash = false

  @Flag(help: "Replace existing files.")
  var force = false

  @Flag(help: "Write the report as JSON.")
  var json = false

  @Flag(help: "Say nothing.")
  var quiet = false

  @OptionGroup var text: OutputOptions

  func validate() throws {
    if grid.count > 2 { throw ValidationError("a sheet has two directions; give --grid twice") }
  }
}

/// What `txt2img` and `img2img` do once it is clear what is wanted.
struct PictureJob {
  let request: ImageRequest
  let model: PictureModelOptions
  let embeddings: EmbeddingOptions
  let computing: ComputingOptions
  let output: PictureOutputOptions

  /// Makes and writes the pictures, and says so.
  func run() throws(Fault) {
    try request.check()
    let axes = try self.axes()
    if axes.contains(where: \.changesModel), !model.isRecipe {
      throw Fault(
        .generationSetting, "alpha and mbw change a merge, and the model is none",
        found: model.path, hint: "give a recipe (.yaml) as --model")
    }
    let paths = axes.isEmpty ? self.paths : [output.output]
    for path in paths { try checkFree(path) }
    if axes.isEmpty { try makePictures(paths) } else { try makeSheet(axes, paths[0]) }
  }

  /// The file of each picture.
  private var paths: [String] {
    guard request.count > 1 else { return [output.output] }
    let path = output.output
    let dot = path.lastIndex(of: ".").flatMap { dot in
      path[dot...].contains("/") ? nil : dot
    }
    let stem = dot.map { path[..<$0] } ?? path[...]
    let suffix = dot.map { path[$0...] } ?? ".png"
    return (0..<request.count).map { "\(stem)-\(request.seed &+ UInt64($0))\(suffix)" }
  }

  /// Checks that a file can be written before hours are spent on it.
  private func checkFree(_ path: String) throws(Fault) {
    _ = try OutputFile(path: path, byteCount: 0, replacing: output.force)
  }

  private func axes() throws(Fault) -> [GridAxis] {
    var axes: [GridAxis] = []
    for text in output.grid {
      axes.append(try option("--grid") { () throws(Fault) in try GridAxis(text) })
    }
    return axes
  }

  private func makePictures(_ paths: [String]) throws(Fault) {
    let source = try model.open(threads: threads)
    let progress = GenerationProgress(
      total: request.evaluations * request.count, isShown: !output.quiet)
    defer { progress.finish() }
    let hash = output.noHash ? nil : try model.hash()
    let pictures = try generate([request], source, progress)[0]
    var files: [PictureFile] = []
    for (index, picture) in pictures.enumerated() {
      let text = request.parameterText(
        of: index, model: model.name, hash: hash, version: "sdtool " + SDTool.version)
      try write(picture, to: paths[index], text)
      files.append(PictureFile(path: paths[index], seed: request.seed &+ UInt64(index)))
    }
    progress.finish()
    try report(files, progress, cells: nil)
  }

  private func makeSheet(_ axes: [GridAxis], _ path: String) throws(Fault) {
    let columns = axes[0].values, rows = axes.count > 1 ? axes[1].values : []
    // Cells of one model are made together, so that each model is loaded once.
    var cells: [(request: ImageRequest, model: String, changes: [GridAxis.Value])] = []
    for row in rows.isEmpty ? [nil] : rows.map(Optional.some) {
      for column in columns {
        let values = [column] + (row.map { [$0] } ?? [])
        var own = request
        own.count = 1
        for value in values { try value.request(&own) }
        try own.check()
        let changing = values.filter { $0.step != nil }
        cells.append((own, changing.map(\.label).joined(separator: "\n"), changing))
      }
    }
    let progress = GenerationProgress(
      total: cells.reduce(0) { $0 + $1.request.evaluations }, isShown: !output.quiet)
    defer { progress.finish() }
    var pictures: [Int: Picture] = [:]
    for key in cells.map(\.model) where !pictures.keys.contains(where: { cells[$0].model == key }) {
      let own = cells.indices.filter { cells[$0].model == key }
      let source = try model.open(threads: threads) { (step) throws(Fault) in
        for value in cells[own[0]].changes { try value.step?(&step) }
      }
      let made = try generate(own.map { cells[$0].request }, source, progress)
      for (index, picture) in zip(own, made) { pictures[index] = picture.first }
    }
    let sheet = try ContactSheet(
      columns: columns.map(\.label), rows: rows.map(\.label),
      pictures: cells.indices.compactMap { pictures[$0] }
    ).drawn()
    let axesText = output.grid.joined(separator: "; ")
    let text = request.parameterText(
      of: 0, model: model.name, hash: nil, version: "sdtool " + SDTool.version)
    try write(sheet, to: path, text + ", Grid: \"\(axesText)\"")
    progress.finish()
    try report(
      [PictureFile(path: path, seed: request.seed)], progress, cells: cells.count)
  }

  private var threads: Int { computing.machine.threads ?? availableProcessors }

  private func generate(
    _ requests: [ImageRequest], _ source: any TensorSource, _ progress: GenerationProgress
  ) throws(Fault) -> [[Picture]] {
    let runtime = try computing.runtime()
    try ImageModel.checkMemory(for: requests[0], of: source, runtime: runtime)
    let encoder = PromptEncoder(embeddings: try embeddings.load())
    if !request.readsEmphasis { warnOfCuts(encoder) }
    let generator = ImageGenerator(source, runtime: runtime, encoder: encoder) {
      progress.note($0)
    }
    return try generator.pictures(for: requests)
  }

  /// Says what of plain prompts is left out.
  private func warnOfCuts(_ encoder: PromptEncoder) {
    for (name, prompt) in [("prompt", request.prompt), ("negative prompt", request.negativePrompt)]
    {
      let chunks = encoder.plainTokens(of: prompt).chunks.dropFirst()
      guard !chunks.isEmpty, !output.quiet else { continue }
      let rest = chunks.flatMap { $0.tokens.dropFirst().prefix($0.used) }
      let words = rest.compactMap { encoder.tokenizer.text(of: $0) }.joined()
        .replacing("</w>", with: " ")
      Terminal.writeError(
        "sdtool: the \(name) is longer than 75 tokens; left out: \(words.sanitized(limit: 200))")
    }
  }

  private func write(_ picture: Picture, to path: String, _ text: String) throws(Fault) {
    try picture.writePNG(
      to: path, texts: [MetadataEntry(key: "parameters", value: text)], replacing: output.force)
  }
}

/// A picture that was written.
private struct PictureFile {
  let path: String
  let seed: UInt64
}

extension PictureJob {
  /// Says what was made.
  private func report(
    _ files: [PictureFile], _ progress: GenerationProgress, cells: Int?
  ) throws(Fault) {
    guard !output.quiet else { return }
    let seconds = progress.seconds
    if output.json {
      var object: JSONObject = [
        "model": .string(model.path),
        "loras": .array(model.runnable.lora.map { .string($0) }),
        "width": .integer(request.width),
        "height": .integer(request.height), "steps": .integer(request.trajectory.stepCount),
        "sampler": .string(request.sampler.name), "schedule": .string(request.sigmas.rawValue),
        "cfg": .double(request.guidance.scale), "rng": .string(request.noise.rawValue),
        "precision": .string(computing.precision.rawValue), "seconds": .double(seconds),
        "pictures": .array(
          files.map { ["path": .string($0.path), "seed": .string("\($0.seed)")] }),
      ]
      if let cells { object["cells"] = .integer(cells) }
      return Terminal.write(try JSONValue.object(object).serialized(pretty: true) + "\n")
    }
    for file in files {
      let what: StyledText =
        cells.map { "sheet of \(Written.count($0, "picture"))" } ?? "seed \(file.seed)"
      let line: StyledText =
        "\("wrote", .good)  \(file.path, .strong)  \(request.width) × \(request.height), \(what)"
      Terminal.write(line.rendered(output.text.style) + "\n")
    }
    var how: StyledText =
      "       \(request.sampler.title), \(Written.count(request.trajectory.stepCount, "step")), \(Written.duration(seconds: seconds))"
    if progress.steps.count > 0 {
      let each = progress.steps.seconds / Double(progress.steps.count)
      how += "; \(Written.duration(seconds: each)) a step"
    }
    Terminal.write(how.rendered(output.text.style) + "\n")
  }
}
