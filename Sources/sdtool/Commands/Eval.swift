import ArgumentParser
import Generation
import Inference
import Inspection
import JSON
import Pictures
import Prompts
import Sampling
import Tensors

extension SDTool {
  /// The command `sdtool eval`, which measures how well a model predicts noise.
  struct Eval: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Measures how well a model predicts the noise in pictures.",
      discussion: """
        The training loss at fixed seeds and time steps: the mean of (predicted − added noise)². \
        The same model and pictures give the same number, so that a worse model can be told in CI. \
        Pictures are PNG and JPEG files; a text file of the same name is its caption. Sides that \
        are no multiples of 8 are cut to one. Captions are plain text; of a long one the first 75 \
        tokens count. The model may be a recipe, merged while it is loaded.

        EXAMPLES
          sdtool eval model.safetensors --images pictures
          sdtool eval merged.safetensors --images pictures --at-most 0.145 --json
          sdtool eval base.safetensors --images pictures --json > base.json
          sdtool eval recipe.yaml --images pictures --baseline base.json --margin 0.02

        EXIT CODES
          0 measured, 1 the error is above --at-most or --baseline, 2 a file is unreadable, 64 wrong usage
        """)

    @Argument(help: ArgumentHelp("The model.", valueName: "file"))
    var model: String

    @Option(help: ArgumentHelp("The folder of pictures.", valueName: "folder"))
    var images: String

    @Option(help: "The caption of pictures that have none.")
    var prompt = ""

    @Option(
      help: ArgumentHelp(
        "The time steps, 0 to 999 with commas.", valueName: "numbers"))
    var timesteps: String?

    @Option(help: "What the noise follows from.")
    var seed: UInt64 = 0

    @OptionGroup var additions: ModelAdditionOptions
    @OptionGroup var training: TrainingOptions

    @Option(help: ArgumentHelp("Exit with 1 if the mean error is greater.", valueName: "number"))
    var atMost: Double?

    @Option(
      help: ArgumentHelp(
        "A report that --json wrote, of another model: exit with 1 if the mean error is greater "
          + "than there.", valueName: "file"))
    var baseline: String?

    @Option(
      help: ArgumentHelp(
        "How much greater than --baseline the error may be, as a share of it.",
        valueName: "share"))
    var margin: Double?

    @OptionGroup var computing: ComputingOptions

    @Flag(help: "Write JSON.")
    var json = false

    @Flag(help: "Show no progress.")
    var quiet = false

    @OptionGroup var text: OutputOptions

    func validate() throws {
      _ = try steps()
      if let margin {
        guard baseline != nil else { throw ValidationError("--margin goes with --baseline") }
        guard margin >= 0 else { throw ValidationError("--margin must be 0 or more") }
      }
      if let atMost, !atMost.isFinite { throw ValidationError("--at-most must be a number") }
    }

    private func steps() throws -> [Int] {
      guard let timesteps else { return NoisePredictionError.usualTimesteps }
      let steps = timesteps.split(separator: ",").map { Int(String($0).trimmed) ?? -1 }
      guard !steps.isEmpty, steps.allSatisfy({ (0..<1000).contains($0) }) else {
        throw ValidationError("--timesteps must be numbers from 0 to 999 with commas between")
      }
      return steps
    }

    func run() throws {
      let steps = try steps()
      let isWorse = try orFail { () throws(Fault) in
        let known = try baseline.map { path throws(Fault) in try EvaluationBaseline(path: path) }
        let model = RunnableModel(path: self.model, additions: additions)
        let source = try model.openForPictures(
          threads: computing.machine.threads ?? availableProcessors)
        let samples = try self.samples()
        let hashes = try self.hashes(of: samples)
        try known?.check(
          seed: seed, timesteps: steps, precision: computing.precision.rawValue,
          pictures: zip(samples, hashes).map {
            .init(name: $0.name, caption: $0.caption, sha256: $1)
          })
        if !quiet {
          warnOfCuts(PromptEncoder(), samples.map { ("caption of \($0.name)", $0.caption) })
        }
        let (prediction, schedule, remark) = training.resolved(for: source)
        if let remark, !quiet { Terminal.writeError("sdtool: \(remark)") }
        let evaluation = NoisePredictionError(
          timesteps: steps, seed: seed, schedule: schedule, prediction: prediction)
        let progress = GenerationProgress(
          total: samples.count * steps.count, isShown: !quiet)
        defer { progress.finish() }
        let errors = try evaluation.errors(
          of: source, on: samples, runtime: try computing.runtime(), progress: progress.step)
        progress.finish()
        let mean = try show(samples, hashes, errors, steps, known)
        return !(mean <= limit(known))
      }
      if isWorse { throw ExitCode.findings }
    }

    /// The greatest error that passes.
    private func limit(_ known: EvaluationBaseline?) -> Double {
      min(
        atMost ?? .infinity, known.map { $0.meanError * (1 + (margin ?? 0)) } ?? .infinity)
    }

    private func samples() throws(Fault) -> [NoisePredictionError.Sample] {
      let names = folderEntries(of: images).sorted()
      var samples: [NoisePredictionError.Sample] = []
      for name in names {
        let lower = name.lowercased()
        guard [".png", ".jpg", ".jpeg"].contains(where: { lower.hasSuffix($0) }) else { continue }
        let path = images + "/" + name
        let picture = try Picture(path: path)
        guard picture.width >= 64, picture.height >= 64 else {
          throw Fault(
            .imageSize, "is too small", path: path, expected: "64 × 64 or more",
            found: "\(picture.width) × \(picture.height)")
        }
        samples.append(
          NoisePredictionError.Sample(
            name: name, picture: picture.cropped(toMultipleOf: 8),
            caption: caption(of: path) ?? prompt))
      }
      guard !samples.isEmpty else {
        throw Fault(
          .notAPicture, "holds no pictures", path: images, expected: "PNG or JPEG files")
      }
      return samples
    }

    /// The SHA-256 of the file of each picture.
    private func hashes(of samples: [NoisePredictionError.Sample]) throws(Fault) -> [String] {
      var hashes: [String] = []
      for sample in samples {
        hashes.append(try InputFile(path: images + "/" + sample.name).sha256().description)
      }
      return hashes
    }

    /// The text in the file beside a picture.
    private func caption(of path: String) -> String? {
      guard let dot = path.lastIndex(of: "."),
        let file = try? InputFile(path: path[..<dot] + ".txt"), file.byteCount <= 1 << 16,
        let bytes = try? file.read(at: 0, count: file.byteCount)
      else { return nil }
      let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
      return lines.joined(separator: " ")
    }

    private func show(
      _ samples: [NoisePredictionError.Sample], _ hashes: [String], _ errors: [[Double]],
      _ steps: [Int], _ known: EvaluationBaseline?
    ) throws(Fault) -> Double {
      func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
      let overall = mean(errors.map(mean))
      let byStep = steps.indices.map { step in mean(errors.map { $0[step] }) }
      if json {
        var value: JSONObject = [
          "model": .string(model), "mean_error": .double(overall),
          "seed": .string("\(seed)"), "precision": .string(computing.precision.rawValue),
          "timesteps": .array(
            zip(steps, byStep).map { ["timestep": .integer($0), "mean_error": .double($1)] }),
          "pictures": .array(
            samples.indices.map {
              [
                "name": .string(samples[$0].name), "caption": .string(samples[$0].caption),
                "sha256": .string(hashes[$0]), "mean_error": .double(mean(errors[$0])),
                "errors": .array(errors[$0].map { .double($0) }),
              ]
            }),
        ]
        if let known { value["baseline_error"] = .double(known.meanError) }
        if limit(known).isFinite {
          value["limit"] = .double(limit(known))
          value["passes"] = .bool(overall <= limit(known))
        }
        Terminal.write(try JSONValue.object(value).serialized(pretty: true) + "\n")
        return overall
      }
      var table = TextTable(
        [.init("picture", shrinks: true)] + steps.map { .init("t = \($0)", .right) }
          + [.init("mean", .right)])
      func row(_ name: StyledText, _ values: [Double], _ mean: Double) -> [StyledText] {
        [name] + values.map { "\(Written.decimal($0, digits: 4))" }
          + ["\(Written.decimal(mean, digits: 4), .strong)"]
      }
      for (sample, values) in zip(samples, errors) {
        table.append(row("\(sample.name, .name)", values, mean(values)))
      }
      table.appendRule()
      table.append(row("mean", byStep, overall))
      var lines = table.lines(width: text.width, style: text.style)
      if limit(known).isFinite {
        let isGood = overall <= limit(known)
        var line: StyledText =
          isGood ? "\("passes", .good)  " : "\("fails", .bad)  "
        let numbers = [overall, limit(known)].map { Written.decimal($0, digits: 6) }
        line += "\(numbers[0]), at most \(numbers[1])"
        if let known { line += "; baseline \(Written.decimal(known.meanError, digits: 6))" }
        lines.append(line.rendered(text.style))
      }
      Terminal.write(lines.joined(separator: "\n") + "\n")
      return overall
    }
  }
}

/// What an earlier `sdtool eval --json` measured.
struct EvaluationBaseline {
  /// What is known of a picture.
  struct Picture: Equatable {
    let name: String
    let caption: String
    let sha256: String
  }

  let meanError: Double
  private let path: String
  private let value: JSONValue

  init(path: String) throws(Fault) {
    let file = try InputFile(path: path)
    let bytes = try file.read(at: 0, count: min(file.byteCount, 16 << 20))
    guard let value = try? JSONValue(parsing: String(decoding: bytes, as: UTF8.self)),
      let error = value["mean_error"]?.double, error.isFinite
    else {
      throw Fault(
        .generationSetting, "is no report of an evaluation", path: path,
        hint: "make one with sdtool eval MODEL --images FOLDER --json")
    }
    (self.path, self.value, meanError) = (path, value, error)
  }

  /// Throws unless the same was measured: errors of other noise or pictures do not compare.
  func check(
    seed: UInt64, timesteps: [Int], precision: String, pictures: [Picture]
  ) throws(Fault) {
    let steps = value["timesteps"]?.array?.compactMap { $0["timestep"]?.integer }
    let known = value["pictures"]?.array?.map {
      Picture(
        name: $0["name"]?.string ?? "", caption: $0["caption"]?.string ?? "",
        sha256: $0["sha256"]?.string ?? "")
    }
    let checks = [
      ("another seed", value["seed"]?.string == "\(seed)"),
      ("other time steps", steps == timesteps),
      ("another precision", value["precision"]?.string == precision),
      (
        "other pictures",
        known?.map(\.name) == pictures.map(\.name)
          && known?.map(\.sha256) == pictures.map(\.sha256)
      ),
      ("other captions", known == pictures),
    ]
    for (differs, isSame) in checks where !isSame {
      throw Fault(
        .generationSetting, "was made with \(differs)", path: path,
        hint: "errors compare only if all but the model is the same")
    }
  }
}
