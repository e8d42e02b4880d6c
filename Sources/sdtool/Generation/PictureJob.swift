import Generation
import Inference
import Inspection
import JSON
import Pictures
import Prompts
import Sampling
import Tensors
import Vocabulary

/// What `txt2img` and `img2img` do once it is clear what is wanted.
struct PictureJob {
  private var request: ImageRequest
  private let model: RunnableModel
  private let embeddings: EmbeddingOptions
  private let training: TrainingOptions
  private let computing: ComputingOptions
  private let output: PictureOutputOptions
  /// What is said about the input before what is said about the output.
  private let remarks: [String]
  /// The files of the picture and the mask that are changed.
  private let pictures: [String]

  init(
    request: ImageRequest, model: PictureModelOptions, embeddings: EmbeddingOptions,
    training: TrainingOptions, computing: ComputingOptions, output: PictureOutputOptions,
    remarks: [String] = [], pictures: [String] = []
  ) {
    self.request = request
    var tags: [String] = []
    // Where brackets are text, so are these.
    if request.readsEmphasis {
      (self.request.prompt, tags) = loraTags(in: request.prompt)
    }
    self.model = model.model(tags: tags)
    self.embeddings = embeddings
    self.training = training
    self.computing = computing
    self.output = output
    self.remarks = remarks
    self.pictures = pictures
  }

  /// Makes and writes the pictures, and says so.
  func run() throws(Fault) {
    try request.check()
    let axes = try self.axes()
    let paths = axes.isEmpty ? self.paths : [output.output]
    for path in paths + output.previews {
      guard let suffix = suffix(of: path), ["jpg", "jpeg", "webp", "gif", "bmp"].contains(suffix)
      else { continue }
      throw Fault(
        .generationSetting, "is called like another format than PNG", path: path,
        hint: "pictures are PNG files: let the name end in .png")
    }
    for path in paths { try checkFree(path) }
    if let preview = output.preview {
      try checkFree(preview, replacing: PreviewFile.isPreview(preview))
    }
    if !output.quiet { for remark in remarks { Terminal.writeError("sdtool: \(remark)") } }
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
  private func checkFree(_ path: String, replacing: Bool = false) throws(Fault) {
    _ = try OutputFile(path: path, byteCount: 0, replacing: output.force || replacing)
  }

  /// Checks that neither pictures nor preview replace what they are made from.
  private func check(_ paths: [String], areNoInputsOf source: any TensorSource) throws(Fault) {
    let inputs = source.files.map(\.path) + [model.path] + embeddings.paths + pictures
    for path in paths + output.previews {
      try checkOutput(path, isNoneOf: inputs)
    }
  }

  private func axes() throws(Fault) -> [GridAxis] {
    var axes: [GridAxis] = []
    for text in output.grid {
      axes.append(try option("--grid") { () throws(Fault) in try GridAxis(text) })
    }
    if axes.count == 2, axes[0].title == axes[1].title {
      throw Fault(
        .generationSetting, "both directions of the sheet are \(axes[0].title)",
        hint: "put all values into one --grid, or change something else in the other")
    }
    if request.count > 1, !axes.isEmpty {
      throw Fault(
        .generationSetting, "a sheet has one picture in each cell",
        found: "--count \(request.count)",
        hint: "use --grid seed=1..\(request.count)")
    }
    if axes.contains(where: { $0.name == "strength" }), request.image == nil {
      throw Fault(
        .generationSetting, "strength is how much of a picture changes, and there is none",
        hint: "use img2img")
    }
    if axes.contains(where: \.changesRecipe), !model.isRecipe {
      throw Fault(
        .generationSetting, "alpha and mbw change a merge, and the model is none",
        found: model.path, hint: "give a recipe (.yaml) as --model")
    }
    if axes.contains(where: \.changesLoRA), model.loraArguments.isEmpty {
      throw Fault(
        .generationSetting, "lora changes the strength of a LoRA, and there is none",
        hint: "give one with --lora")
    }
    return axes
  }

  private func makePictures(_ paths: [String]) throws(Fault) {
    let source = try model.openForPictures(threads: threads)
    try check(paths, areNoInputsOf: source)
    let runtime = try self.runtime(for: source)
    let request = training.applied(to: self.request, for: source, quiet: output.quiet)
    let progress = GenerationProgress(
      total: request.evaluations * request.count, isShown: !output.quiet)
    defer { progress.finish() }
    let encoder = try self.encoder(for: source)
    let ingredients = try self.ingredients(encoder, hashing: !output.noHash)
    let pictures = try generate([[request]], [source], encoder, runtime, progress)[0][0]
    var files: [PictureFile] = []
    for (index, picture) in pictures.enumerated() {
      try write(picture, to: paths[index], request.parameters(of: index, with: ingredients))
      files.append(PictureFile(path: paths[index], seed: request.seed &+ UInt64(index)))
    }
    progress.finish()
    try report(files, progress)
  }

  private func makeSheet(_ axes: [GridAxis], _ path: String) throws(Fault) {
    var grid = PictureGrid(axes)
    try grid.fill { (values) throws(Fault) in
      var own = request
      own.count = 1
      for value in values { try value.request(&own) }
      try own.check()
      return own
    }
    var sources: [any TensorSource] = []
    for changes in grid.changes {
      sources.append(try model.openForPictures(threads: threads, changed: changes))
    }
    try check([path], areNoInputsOf: sources[0])
    let runtime = try self.runtime(for: sources[0])
    let progress = GenerationProgress(total: grid.evaluations, isShown: !output.quiet)
    defer { progress.finish() }
    let encoder = try self.encoder(for: sources[0])
    let ingredients = try self.ingredients(encoder, hashing: false)
    let requests = grid.requests.enumerated().map { index, requests in
      requests.enumerated().map { cell, request in
        // What is said about one cell holds for all.
        let isFirst = index == 0 && cell == 0
        return training.applied(
          to: request, for: sources[index], quiet: output.quiet || !isFirst)
      }
    }
    let made = try generate(requests, sources, encoder, runtime, progress)
    var parameters = request.parameters(of: 0, with: ingredients)
    parameters.fields.append(.init(name: "Grid", value: output.grid.joined(separator: "; ")))
    try write(grid.sheet(of: made), to: path, parameters)
    progress.finish()
    try report([PictureFile(path: path, seed: request.seed)], progress, grid: grid)
  }

  private var threads: Int { computing.machine.threads ?? availableProcessors }

  /// What networks run on, if there is memory for the pictures; known before anything is read.
  private func runtime(for source: any TensorSource) throws(Fault) -> Runtime {
    let runtime = try computing.runtime()
    try ImageModel.checkMemory(for: request, of: source, runtime: runtime)
    return runtime
  }

  private func encoder(for source: any TensorSource) throws(Fault) -> PromptEncoder {
    let encoder = PromptEncoder(
      embeddings: try embeddings.load(width: ImageModel.contextWidth(of: source)))
    if !request.readsEmphasis, !output.quiet {
      warnOfCuts(
        encoder, [("prompt", request.prompt), ("negative prompt", request.negativePrompt)])
    }
    return encoder
  }

  private func generate(
    _ requests: [[ImageRequest]], _ sources: [any TensorSource], _ encoder: PromptEncoder,
    _ runtime: Runtime, _ progress: GenerationProgress
  ) throws(Fault) -> [[[Picture]]] {
    let preview = PreviewFile(output)
    let generator = ImageGenerator(
      series: sources, runtime: runtime, encoder: encoder, progress: { progress.note($0) },
      preview: { preview?.show($0) })
    return try generator.pictures(forEach: requests)
  }

  /// What the parameters say beside the request.
  private func ingredients(
    _ encoder: PromptEncoder, hashing: Bool
  ) throws(Fault) -> ImageRequest.Ingredients {
    var ingredients = ImageRequest.Ingredients(
      model: model.name, version: "sdtool " + SDTool.version)
    var cache = HashCache(environment: Terminal.environment)
    defer { cache.save() }
    if hashing { ingredients.modelHash = try model.hash(&cache) }
    (ingredients.loraTags, ingredients.loras) = try model.loraRecords(hashing: !output.noHash)
    if !output.noHash, !embeddings.files.isEmpty {
      var used: [String] = []
      for prompt in [request.prompt, request.negativePrompt] {
        used += try encoder.tokens(of: prompt).embeddings
      }
      ingredients.embeddings = try embeddings.hashes(of: used, &cache)
    }
    return ingredients
  }

  private func write(
    _ picture: Picture, to path: String, _ parameters: PictureParameters
  ) throws(Fault) {
    try picture.writePNG(
      to: path, texts: [MetadataEntry(key: "parameters", value: parameters.text)],
      replacing: output.force)
  }
}

/// A prompt without the LoRAs that stand in it, as `<lora:style:0.8>`, and those.
func loraTags(in prompt: String) -> (prompt: String, tags: [String]) {
  var rest = "", tags: [String] = []
  var left = prompt[...]
  while let start = left.firstIndex(of: "<") {
    let tail = left[start...]
    guard tail.hasPrefix("<lora:") || tail.hasPrefix("<lyco:"), let end = tail.firstIndex(of: ">")
    else {
      rest += left[...start]
      left = left[left.index(after: start)...]
      continue
    }
    rest += left[..<start]
    tags.append(String(tail[...end]))
    left = left[left.index(after: end)...]
  }
  return (rest + left, tags)
}

/// Says what of prompts is left out that have one chunk only.
func warnOfCuts(_ encoder: PromptEncoder, _ prompts: [(name: String, text: String)]) {
  for (name, prompt) in prompts {
    let chunks = encoder.plainTokens(of: prompt).chunks.dropFirst()
    guard !chunks.isEmpty else { continue }
    let rest = chunks.flatMap { $0.tokens.dropFirst().prefix($0.used) }
    let words = rest.compactMap { encoder.tokenizer.text(of: $0) }.joined()
      .replacing("</w>", with: " ")
    Terminal.writeError(
      "sdtool: the \(name) is longer than 75 tokens; left out: \(words.sanitized(limit: 200))")
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
    _ files: [PictureFile], _ progress: GenerationProgress, grid: PictureGrid? = nil
  ) throws(Fault) {
    guard !output.quiet else { return }
    let seconds = progress.seconds
    if output.json {
      var object: JSONObject = [
        "model": .string(model.path),
        "loras": .array(model.loraArguments.map { .string($0) }),
        "width": .integer(request.width),
        "height": .integer(request.height), "steps": .integer(request.trajectory.stepCount),
        "sampler": .string(request.sampler.name), "schedule": .string(request.sigmas.rawValue),
        "cfg": .double(request.guidance.scale), "rng": .string(request.noise.rawValue),
        "precision": .string(computing.precision.rawValue), "seconds": .double(seconds),
        "pictures": .array(
          files.map { ["path": .string($0.path), "seed": .string("\($0.seed)")] }),
      ]
      if let grid {
        object["cells"] = .integer(grid.cellCount)
        object["models"] = .array(progress.readings.map(\.json))
      }
      return Terminal.write(try JSONValue.object(object).serialized(pretty: true) + "\n")
    }
    for file in files {
      let what: StyledText =
        grid.map { "sheet of \(Written.count($0.cellCount, "picture"))" } ?? "seed \(file.seed)"
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
    if progress.readings.count > 1 {
      let merged = progress.readings.reduce(0) { $0 + $1.blocks.count }
      let all = progress.readings.count * (progress.readings.map(\.blocks.count).max() ?? 0)
      Terminal.write(
        "       \(progress.readings.count) models: \(Written.count(merged, "block")) merged, "
          + "\(Written.count(all - merged)) kept from the one before\n")
    }
  }
}
