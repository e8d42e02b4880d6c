import ArgumentParser
import Checkpoint
import Inspection
import JSON
import LoRA
import LoRAEdit
import Tensors

extension SDTool {
  /// `sdtool lora-extract`: the difference of two models as a LoRA.
  struct LoRAExtract: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "lora-extract",
      abstract: "Makes a LoRA out of the difference of two models.",
      discussion: """
        For each weight the leading singular values of the difference are found by randomised \
        iteration, seeded and with its error computed from the difference itself; --full-svd \
        computes all of them. 3×3 convolutions take part unless --conv-rank is 0. Modules of the \
        text encoder that differ by no more than rounding are left out and counted.

        EXAMPLES
          sdtool lora-extract tuned.safetensors base.safetensors --rank 32 -o l.safetensors
          sdtool lora-extract tuned.safetensors base.safetensors -o l.safetensors \\
            --error 0.2 --max-rank 128
          sdtool lora-extract tuned.safetensors base.safetensors -o l.safetensors \\
            --rank 64 --conv-rank 0

        EXIT CODES
          0 written, 2 cannot be extracted, read or written, 64 wrong usage
        """)

    @Argument(help: ArgumentHelp("The tuned model: a file or folder.", valueName: "tuned"))
    var tuned: String

    @Argument(help: ArgumentHelp("The model it was tuned from.", valueName: "base"))
    var base: String

    @OptionGroup var ranks: RankOptions

    @Option(help: ArgumentHelp("The highest rank of any module.", valueName: "number"))
    var maxRank: Int?

    @Option(
      help: ArgumentHelp(
        "Leave out text encoder modules that change less than this share of their norm.",
        valueName: "share"))
    var teGate: Double = LoRAExtraction.Gate().textEncoder

    @Option(
      help: ArgumentHelp(
        "Leave out U-Net modules that change less than this share of their norm.",
        valueName: "share"))
    var unetGate: Double = 0

    @Flag(help: "Compute all singular values, so that each rank is the best; takes longer.")
    var fullSvd = false

    @Option(help: "The number that random choices follow from.")
    var seed: UInt64 = 0

    @Option(help: "How it is spelled: kohya, diffusers or comfy.")
    var to: LoRADialect = .kohya

    @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
    var variant: String?

    @OptionGroup var file: LoRAOutputOptions
    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func validate() throws {
      if ranks.targets.count > 1 {
        throw ValidationError("give one of --rank, --energy and --error")
      }
      for gate in [teGate, unetGate] where !(gate >= 0 && gate < 1) {
        throw ValidationError("gates are numbers from 0 to below 1")
      }
      if let maxRank, maxRank < 1 { throw ValidationError("--max-rank must be at least 1") }
    }

    func run() throws {
      try orFail { () throws(Fault) in
        let start = ContinuousClock.now
        let models = (
          try openModel(path: tuned, variant: variant), try openModel(path: base, variant: variant)
        )
        try file.check(inputs: models.0.files + models.1.files)
        let extraction = try LoRAExtraction(tuned: models.0, base: models.1)
        var settings = ExtractionSettings()
        if let target = ranks.targets.first { settings.target = target }
        if let dtype = file.dtype { settings.dtype = dtype.dtype }
        settings.dialect = to
        settings.gate.textEncoder = teGate
        settings.gate.unet = unetGate
        settings.maximumRank = maxRank
        settings.isExact = fullSvd
        settings.seed = seed
        let total = extraction.members.reduce(0) {
          let (rows, columns) = (
            $1.output.weightShape.first ?? 1, $1.output.weightShape.dropFirst()
          )
          return $0 &+ rows &* columns.reduce(1, &*)
        }
        let progress = Progress(
          total: total &* 4, isShown: !file.quiet && !file.json, label: "comparing")
        let result: ExtractedLoRA
        do throws(Fault) {
          result = try extraction.made(
            settings, width: machine.threads ?? availableProcessors,
            progress: { progress.add($0 &* 4) })
        } catch {
          _ = progress.finish()
          throw error
        }
        _ = progress.finish()
        try models.0.checkUnchanged()
        try models.1.checkUnchanged()
        try result.output.write(to: file.output, replacing: file.force)
        let report = ExtractionReport(
          extraction: extraction, settings: settings, result: result, tuned: tuned, base: base,
          output: file.output, seconds: start.secondsSince)
        if file.json {
          Terminal.write(try report.json.serialized(pretty: true) + "\n")
        } else if !file.quiet {
          let lines = report.lines(
            width: text.width, listWidth: text.listWidth, style: text.style, listing: file.list)
          Terminal.write(lines.joined(separator: "\n") + "\n")
        }
      }
    }
  }
}
