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

  @Option(
    help: ArgumentHelp(
      "What the model's output means.",
      valueName: "name"))
  var prediction: Prediction = .noise

  @Option(
    help: ArgumentHelp(
      "The schedule that the model was trained with.",
      valueName: "name"))
  var betas: NoiseSchedule.Curve = .scaledLinear

  @Flag(name: .customLong("zero-snr"), help: "The model was trained with zero terminal SNR.")
  var zeroSNR = false

  func validate() throws {
    if let eta, !(0...10).contains(eta) { throw ValidationError("--eta must be from 0 to 10") }
  }

  /// The sampler, and the schedule that its name may end with, as the web UIs once had it.
  func chosen() throws(Fault) -> (any Sampler.Type, SigmaSpacing) {
    for sigmas in SigmaSpacing.allCases where sampler.lowercased().hasSuffix(" " + sigmas.rawValue)
    {
      let name = sampler.dropLast(sigmas.rawValue.count + 1)
      return (try Samplers.named(String(name)), schedule ?? sigmas)
    }
    return (try Samplers.named(sampler), schedule ?? .normal)
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
    schedule = NoiseSchedule(sampling.betas, zeroTerminalSNR: sampling.zeroSNR)
    prediction = sampling.prediction
    spacing = sampling.spacing
    noise = sampling.rng
  }
}
