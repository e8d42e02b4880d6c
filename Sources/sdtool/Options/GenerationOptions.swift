import ArgumentParser
import Generation
import Inference
import Inspection
import Pictures
import Sampling
import Tensors

/// `512x768`, or one number for both.
struct PictureSize: ExpressibleByArgument {
  let width: Int, height: Int

  init?(argument: String) {
    let parts = argument.lowercased().split(
      whereSeparator: { $0 == "x" || $0 == "×" }
    ).map { Int($0) }
    guard (1...2).contains(parts.count), let width = parts[0], let height = parts[parts.count - 1]
    else { return nil }
    self.width = width
    self.height = height
  }
}

/// What `txt2img` and `img2img` have in common: the picture.
struct PromptOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "What should be in the picture.")
  var prompt: String

  @Option(
    name: [.short, .customLong("negative")],
    help: ArgumentHelp("What should not be in it.", valueName: "prompt"))
  var negative = ""

  @Flag(help: "Brackets in prompts are text; what is beyond 75 tokens is left out.")
  var plainPrompt = false

  @OptionGroup var embeddings: EmbeddingOptions

  @Option(help: "Layer of the text encoder, from the end: 1 is the last.")
  var clipSkip = 1

  @Option(name: .customLong("cfg"), help: "How much the prompt counts; 1 does without guidance.")
  var guidance = 7.0

  @Option(
    name: .customLong("cfg-rescale"),
    help: ArgumentHelp("Bring the contrast back to that without guidance, 0 to 1.", valueName: "φ"))
  var rescale = 0.0
}

/// What `txt2img` and `img2img` have in common: the way to the picture.
struct SamplingOptions: ParsableArguments {
  @Option(help: "The number of steps.")
  var steps = 20

  @Option(help: "The seed of the first picture; the next has the next (default: a random one).")
  var seed: UInt64?

  @Option(name: .customLong("count"), help: "How many pictures.")
  var count = 1

  @Option(
    help: ArgumentHelp(
      "The sampler: \(Samplers.all.map { $0.name }.joined(separator: ", ")).", valueName: "name"))
  var sampler = "dpmpp-2m"

  @Option(
    help: ArgumentHelp(
      "How the noise falls from step to step (default: normal).", valueName: "name"))
  var schedule: SigmaSpacing?

  @Option(
    help: ArgumentHelp(
      "How time steps are spread (default: as diffusers does).", valueName: "name"))
  var spacing: TimestepSpacing?

  @Option(help: "The share of fresh noise in ddim and ancestral samplers.")
  var eta: Double?

  @Option(help: "Random numbers as torch on a CPU makes them, or on an Nvidia card (philox).")
  var rng: NoiseKind = .torch

  func validate() throws {
    if let eta, !(0...10).contains(eta) { throw ValidationError("--eta must be from 0 to 10") }
  }

  /// The sampler, and the schedule that its name may end with, as the web UIs once had it.
  func chosen() throws(Fault) -> (any Sampler.Type, SigmaSpacing) {
    let (sampler, sigmas) = try Samplers.withSchedule(self.sampler)
    return (sampler, schedule ?? sigmas ?? .normal)
  }
}

/// What a model was trained to predict, where its file does not say it, or says it wrongly.
struct TrainingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What the model's output means (default: as the model says, else epsilon).",
      valueName: "name"))
  var prediction: Prediction?

  @Option(
    help: ArgumentHelp(
      "The schedule that the model was trained with (default: as the model says, else "
        + "scaled_linear).", valueName: "name"))
  var betas: NoiseSchedule.Curve?

  @Flag(
    inversion: .prefixedNo,
    help: "The model was trained with zero terminal SNR (default: as the model says).")
  var zeroSnr: Bool?

  /// What holds for a model, and what says so if it is not the usual.
  func resolved(
    for source: any TensorSource
  ) -> (prediction: Prediction, schedule: NoiseSchedule, remark: String?) {
    let said = TrainingTarget(of: source)
    let prediction = self.prediction ?? said.prediction ?? .noise
    let isZero = zeroSnr ?? said.hasZeroTerminalSNR ?? false
    let schedule = NoiseSchedule(
      betas ?? said.curve ?? .scaledLinear, zeroTerminalSNR: isZero)
    var words: [String] = []
    if self.prediction == nil, prediction != .noise { words.append(prediction.rawValue) }
    if zeroSnr == nil, isZero { words.append("zero terminal SNR") }
    let remark = said.evidence.flatMap { evidence in
      words.isEmpty ? nil : "\(words.joined(separator: " and ")), as \(evidence) says"
    }
    return (prediction, schedule, remark)
  }

  /// A request for a model, which says on standard error what is unusual about it.
  func applied(
    to request: ImageRequest, for source: any TensorSource, quiet: Bool
  ) -> ImageRequest {
    var request = request
    let (prediction, schedule, remark) = resolved(for: source)
    (request.prediction, request.schedule) = (prediction, schedule)
    if let remark, !quiet { Terminal.writeError("sdtool: \(remark)") }
    return request
  }
}

/// How networks compute.
struct ComputingOptions: ParsableArguments {
  @Option(help: "How exactly: reference, f32 or bf16.")
  var precision: Precision = .f32

  @OptionGroup var machine: MachineOptions

  /// What networks run on.
  func runtime() throws(Fault) -> Runtime {
    try Runtime(precision: precision, threads: machine.threads ?? availableProcessors)
  }
}

extension ImageRequest {
  /// What the options ask for, without an image.
  init(
    _ prompt: PromptOptions, _ sampling: SamplingOptions, size: PictureSize?
  ) throws(Fault) {
    self.init(prompt: prompt.prompt)
    negativePrompt = prompt.negative
    readsEmphasis = !prompt.plainPrompt
    clipSkip = prompt.clipSkip
    guidance = Guidance(scale: prompt.guidance, rescale: prompt.rescale)
    width = size?.width ?? 512
    height = size?.height ?? 512
    steps = sampling.steps
    seed = sampling.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
    count = sampling.count
    (sampler, sigmas) = try sampling.chosen()
    settings = SamplerSettings(eta: sampling.eta)
    spacing = sampling.spacing
    noise = sampling.rng
  }
}
