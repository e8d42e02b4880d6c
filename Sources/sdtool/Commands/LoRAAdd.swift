import ArgumentParser
import Inspection
import JSON
import LoRA
import LoRAEdit
import Tensors

extension SDTool {
  /// `sdtool lora-add`: several LoRAs as one.
  struct LoRAAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "lora-add",
      abstract: "Adds LoRAs, each with its strength, to one LoRA.",
      discussion: """
        The sum is exact up to the rounding of its type, which is reported: factors stand side by \
        side, α and strengths are part of them, and the ranks add up. With --rank, --energy, \
        --error or --size it is cut down by singular values, and the error is reported. Ranks and \
        spellings may differ; LoCon, Tucker cores, LoHa, LoKr and full differences take part. A \
        strength of 0 is as if the LoRA were not there. After a path come its strength or those of \
        text encoder and U-Net, and te=, unet=, lbw= as for lora-merge.

        EXAMPLES
          sdtool lora-add style.safetensors:0.7 eyes.safetensors:-0.4 -o both.safetensors
          sdtool lora-add a.safetensors b.safetensors:0.5:te=0 --rank 32 -o c.safetensors
          sdtool lora-add a.safetensors b.safetensors --size 40MB -o fits.safetensors

        EXIT CODES
          0 written, 2 cannot be added, read or written, 64 wrong usage
        """)

    @Argument(
      help: ArgumentHelp(
        "The LoRAs, each with a strength (default 1).",
        valueName: "lora[:strength][:key=value…]"))
    var loras: [String]

    @Flag(help: "Keep everything (the default).")
    var exact = false

    @OptionGroup var options: LoRASumOptions

    private var targets: [RankTarget] {
      (exact ? [.exact] : []) + options.targets
    }

    func validate() throws {
      if targets.count > 1 {
        throw ValidationError("give one of --exact, --rank, --energy, --error and --size")
      }
      for lora in loras { _ = try LoRAArgument.parsed(lora) }
    }

    func run() throws {
      try orFail { () throws(Fault) in
        var terms: [LoRASum.Term] = []
        for lora in loras {
          let argument = try LoRAArgument(lora)
          terms.append(LoRASum.Term(try LoRAFile(path: argument.name), argument.strength))
        }
        try options.write(terms, targets.first ?? .exact)
      }
    }
  }

  /// `sdtool lora-resize`: a LoRA of lower rank.
  struct LoRAResize: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "lora-resize",
      abstract: "Lowers the rank of a LoRA by singular values.",
      discussion: """
        Works on the factors alone, so that it takes a second or two, and keeps the best \
        approximation of each rank. The error that is left is reported for every module.

        EXAMPLES
          sdtool lora-resize style.safetensors --rank 16 -o small.safetensors
          sdtool lora-resize style.safetensors --energy 0.99 -o small.safetensors --list
          sdtool lora-resize style.safetensors --size 20MB -o small.safetensors

        EXIT CODES
          0 written, 2 cannot be resized, read or written, 64 wrong usage
        """)

    @Argument(help: ArgumentHelp("The LoRA.", valueName: "lora"))
    var lora: String

    @OptionGroup var options: LoRASumOptions

    func validate() throws {
      guard options.targets.count == 1 else {
        throw ValidationError("give one of --rank, --energy, --error and --size")
      }
    }

    func run() throws {
      try orFail { () throws(Fault) in
        try options.write([LoRASum.Term(try LoRAFile(path: lora), 1)], options.targets[0])
      }
    }
  }
}

/// How a sum of LoRAs is cut down, spelled and written.
struct LoRASumOptions: ParsableArguments {
  @OptionGroup var ranks: RankOptions

  @Option(
    help: ArgumentHelp(
      "The largest file: where a rank keeps most for its bytes it is kept.", valueName: "MB"))
  var size: SizeArgument?

  @Option(help: "How it is spelled: kohya, diffusers or comfy.")
  var to: LoRADialect = .kohya

  @Flag(help: "Leave out tensors that fit nothing.")
  var allowUnmatched = false

  @OptionGroup var file: LoRAOutputOptions
  @OptionGroup var machine: MachineOptions
  @OptionGroup var text: OutputOptions

  /// How much is kept, as far as that was given.
  var targets: [RankTarget] {
    ranks.targets + (size.map { [.size($0.byteCount)] } ?? [])
  }

  /// Adds `terms`, writes the sum and reports.
  func write(_ terms: [LoRASum.Term], _ target: RankTarget) throws(Fault) {
    let start = ContinuousClock.now
    try file.check(inputs: terms.flatMap(\.file.source.files))
    let sum = try LoRASum(terms, allowingUnmatched: allowUnmatched)
    let result = try sum.made(
      target, dtype: file.dtype?.dtype ?? sum.usualType, dialect: to,
      width: machine.threads ?? availableProcessors)
    try result.output.write(to: file.output, replacing: file.force)
    try EditedLoRAReport(
      inputs: terms, target: target, result: result, output: file.output,
      seconds: start.secondsSince
    ).print(file, text)
  }
}

extension ContinuousClock.Instant {
  /// The seconds from it until now.
  var secondsSince: Double {
    let elapsed = ContinuousClock.now - self
    return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
  }
}
