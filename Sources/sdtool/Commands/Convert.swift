import ArgumentParser
import Checkpoint
import Inspection
import JSON
import Layouts
import StableDiffusion
import Tensors

extension SDTool {
  /// `sdtool convert`: the same model in another file.
  struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes a model in another layout or type, pruned, or with another VAE.",
      discussion: """
        Reads every layout. Writes a safetensors file or a PyTorch checkpoint with the original \
        names, an unpacked checkpoint, or a diffusers folder that \
        StableDiffusionPipeline.from_pretrained opens. Values keep every bit unless --dtype says \
        otherwise. Everything that is dropped, renamed, reshaped or cast is reported; nothing \
        appears under the output's name before it is complete.

        EXAMPLES
          sdtool convert model.ckpt -o model.safetensors
          sdtool convert model.safetensors -o folder
          sdtool convert model.safetensors -o small.safetensors --prune --dtype f16 --dtype vae=f32
          sdtool convert full.ckpt -o ema.safetensors --ema --prune
          sdtool convert model.safetensors -o vae.safetensors --only vae
          sdtool convert model.safetensors -o baked.safetensors --vae vae.safetensors
          sdtool convert model.safetensors -o out.safetensors --discard '^model_ema' --plan

        EXIT CODES
          0 converted, 2 cannot be converted, read or written, 64 wrong usage
        """)

    @Argument(help: ArgumentHelp("The model: a file or folder.", valueName: "model"))
    var input: String

    @OptionGroup var file: ModelOutputOptions

    @Option(
      help: ArgumentHelp(
        "One component by itself, without prefix: unet, vae or clip.", valueName: "component"))
    var only: Component?

    @Option(
      help: ArgumentHelp(
        "Values too large for the type: "
          + OverflowPolicy.allCases.map(\.rawValue).joined(separator: ", ") + ".",
        valueName: "policy"))
    var overflow: OverflowPolicy = .error

    @Flag(help: "Leave out moving averages, training state and buffers.")
    var prune = false

    @Flag(help: "Put the moving average in the place of the U-Net.")
    var ema = false

    @Option(help: ArgumentHelp("Put the VAE of this model in.", valueName: "file"))
    var vae: String?

    @Flag(help: "Set the text encoder's token positions to 0…76, or add them.")
    var fixPositionIds = false

    @Option(
      help: ArgumentHelp(
        "Leave out tensors in whose name the expression occurs. Repeatable.",
        discussion: "A Swift regular expression, compared with the names in the model. Nested "
          + "repetitions such as '(a+)+' can take for ever on long names.",
        valueName: "regex"))
    var discard: [NamePattern] = []

    @Flag(help: "Leave out the texts beside the tensors.")
    var noMetadata = false

    @Flag(help: "List every tensor that changes or is left out.")
    var list = false

    @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
    var variant: String?

    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func validate() throws {
      if only != nil, vae != nil, only != .vae {
        throw ValidationError("--vae has no use with --only \(only?.folder ?? "")")
      }
    }

    func run() throws {
      try orFail { () throws(Fault) in try convert() }
    }

    private func convert() throws(Fault) {
      let threads = machine.threads ?? availableProcessors
      let model = try openModel(path: input, variant: variant)
      let donor: (any TensorSource)? =
        if let vae { try openModel(path: vae, variant: variant) } else { nil }
      let patterns = discard
      var plan = ConversionPlan(of: model, vae: donor, request) { name in
        patterns.contains { $0.occurs(in: name) }
      }
      do throws(Fault) {
        try plan.checkOutput(file.output, replacing: file.force)
      } catch { plan.add(error) }
      var report = ConversionReport(plan: plan, input: input, output: file.output, vae: vae)
      if file.plan {
        try print(report)
        if let problem = plan.problems.first { throw problem }
        return
      }
      if let problem = plan.problems.first { throw problem }
      try model.verifyChecksums(width: threads)
      try donor?.verifyChecksums(width: threads)
      (report.plan, report.keptNames) = try plan.keepingOverflows(width: threads)
      let progress = file.progress(total: report.plan.dataByteCount)
      report.clamped = try report.plan.write(
        to: file.output, replacing: file.force, width: threads, progress: progress.add)
      report.seconds = progress.finish()
      try print(report)
    }

    private var request: ConversionRequest {
      var request = ConversionRequest(layout: file.usedLayout)
      request.only = only
      request.types = file.types
      request.overflow = overflow
      request.prunes = prune
      request.usesAverages = ema
      request.fixesPositionIDs = fixPositionIds
      request.keepsMetadata = !noMetadata
      return request
    }

    private func print(_ report: ConversionReport) throws(Fault) {
      try file.show(
        json: report.json,
        lines: report.lines(
          width: text.width, listWidth: text.listWidth, style: text.style, listing: list))
    }
  }
}

/// A regular expression that tensor names are searched for.
struct NamePattern: ExpressibleByArgument {
  private let expression: Regex<AnyRegexOutput>

  init?(argument: String) {
    guard let expression = try? Regex(argument) else { return nil }
    self.expression = expression.matchingSemantics(.unicodeScalar)
  }

  /// Whether the expression matches any part of the name.
  func occurs(in name: TensorName) -> Bool {
    (try? expression.firstMatch(in: name.string)) != nil
  }
}
