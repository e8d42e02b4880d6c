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

    @Option(
      name: [.short, .customLong("output")],
      help: ArgumentHelp("The file or folder to make.", valueName: "path"))
    var output: String

    @Option(
      help: ArgumentHelp(
        "Layout: \(OutputLayout.allCases.map(\.rawValue).joined(separator: ", ")) "
          + "(default: by the suffix of the output; none stands for diffusers).",
        valueName: "layout"))
    var layout: OutputLayout?

    @Option(
      help: ArgumentHelp(
        "One component by itself, without prefix: unet, vae or clip.", valueName: "component"))
    var only: Component?

    @Option(
      help: ArgumentHelp(
        "Type of the weights: keep, f32, f16 or bf16; for one component vae=f32. Repeatable.",
        valueName: "type"))
    var dtype: [TypeArgument] = []

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

    @Flag(help: "Say what would be done, from headers alone; fail if it would fail.")
    var plan = false

    @Flag(help: "List every tensor that changes or is left out.")
    var list = false

    @Flag(help: "Write JSON.")
    var json = false

    @Flag(help: "Replace an existing output.")
    var force = false

    @Flag(help: "Say nothing, unless it fails.")
    var quiet = false

    @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
    var variant: String?

    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func validate() throws {
      if output.isEmpty { throw ValidationError("--output must not be empty") }
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
        try plan.checkOutput(output, replacing: force)
      } catch { plan.add(error) }
      var report = ConversionReport(plan: plan, input: input, output: output, vae: vae)
      if self.plan {
        try print(report)
        if let problem = plan.problems.first { throw problem }
        return
      }
      if let problem = plan.problems.first { throw problem }
      try model.verifyChecksums(width: threads)
      try donor?.verifyChecksums(width: threads)
      (report.plan, report.keptNames) = try plan.keepingOverflows(width: threads)
      let progress = Progress(
        total: report.plan.dataByteCount, isShown: !quiet && !json, label: "writing")
      report.clamped = try report.plan.write(
        to: output, replacing: force, width: threads, progress: progress.add)
      report.seconds = progress.finish()
      try print(report)
    }

    private var request: ConversionRequest {
      var request = ConversionRequest(layout: layout ?? OutputLayout(path: output))
      request.only = only
      request.types = types
      request.overflow = overflow
      request.prunes = prune
      request.usesAverages = ema
      request.fixesPositionIDs = fixPositionIds
      request.keepsMetadata = !noMetadata
      return request
    }

    private var types: TypeChoice {
      var types = TypeChoice()
      for argument in dtype {
        if let component = argument.component {
          types[component] = argument.type
        } else {
          types.usual = argument.type
        }
      }
      return types
    }

    private func print(_ report: ConversionReport) throws(Fault) {
      if json {
        Terminal.write(try report.json.serialized(pretty: true) + "\n")
      } else if !quiet || plan {
        let lines = report.lines(
          width: text.width, listWidth: text.listWidth, style: text.style, listing: list)
        Terminal.write(lines.joined(separator: "\n") + "\n")
      }
    }
  }
}

/// A type for all weights, or for those of one component: `f16`, `vae=f32`.
struct TypeArgument: ExpressibleByArgument {
  let component: Component?
  /// The type; `nil` keeps what is there.
  let type: DType?

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    switch parts.last?.lowercased() {
    case "keep": type = nil
    case "f32", "fp32": type = .f32
    case "f16", "fp16": type = .f16
    case "bf16": type = .bf16
    default: return nil
    }
    if parts.count == 2 {
      guard let component = Component(name: parts[0]) else { return nil }
      self.component = component
    } else {
      component = nil
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
