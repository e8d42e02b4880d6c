import ArgumentParser
import Inspection
import JSON
import LoRA
import LoRAEdit
import Tensors

extension SDTool {
  /// `sdtool lora-convert`: the same LoRA in another spelling.
  struct LoRAConvert: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "lora-convert",
      abstract: "Writes a LoRA with the names that another program reads.",
      discussion: """
        Reads every spelling. Factors keep every bit; for diffusers, which has no α, it becomes \
        part of the upper factor. LoHa, LoKr and Tucker cores become plain LoRA or LoCon, exactly. \
        What a spelling cannot hold is refused.

        EXAMPLES
          sdtool lora-convert peft.safetensors --to kohya -o webui.safetensors
          sdtool lora-convert style.safetensors --to diffusers -o pytorch.safetensors

        EXIT CODES
          0 written, 2 cannot be converted, read or written, 64 wrong usage
        """)

    @Argument(help: ArgumentHelp("The LoRA.", valueName: "lora"))
    var lora: String

    @Option(help: "How it is spelled: kohya, diffusers or comfy.")
    var to: LoRADialect

    @Flag(help: "Leave out tensors that fit nothing.")
    var allowUnmatched = false

    @OptionGroup var file: LoRAOutputOptions
    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func run() throws {
      try orFail { () throws(Fault) in
        let start = ContinuousClock.now
        let input = try LoRAFile(path: lora)
        try file.check(inputs: input.source.files)
        let result = try LoRAConversion(input, to: to, allowingUnmatched: allowUnmatched)
          .made(dtype: file.dtype?.dtype, width: machine.threads ?? availableProcessors)
        try result.output.write(to: file.output, replacing: file.force)
        let summary = LoRAFileSummary(
          output: result.output, path: file.output, seconds: start.secondsSince)
        if file.json {
          try print(json: input, result, summary)
        } else if !file.quiet {
          print(input, result, summary)
        }
      }
    }

    private func print(
      _ input: LoRAFile, _ result: LoRAConversion.Result, _ summary: LoRAFileSummary
    ) {
      var lines: [StyledText] = [
        "\(lora, .name)  \(Written.count(input.modules.count, "module")), \(input.spelling.title) → \(to.rawValue, .strong)"
      ]
      for kind in AdapterKind.allCases {
        for change in LoRAConversion.Change.allCases {
          let count = result.modules.count { $0.kind == kind && $0.change == change }
          guard count > 0 else { continue }
          lines.append("\(Written.count(count, "module")) of \(kind.rawValue): \(change.rawValue)")
        }
      }
      if file.list {
        lines += result.modules.map { "  \($0.target.kohyaName, .name)  \($0.change.rawValue)" }
      }
      lines += summary.lines
      let wrapped = lines.flatMap { $0.wrapped(to: text.width) }
      Terminal.write(wrapped.map { $0.rendered(text.style) }.joined(separator: "\n") + "\n")
    }

    private func print(
      json input: LoRAFile, _ result: LoRAConversion.Result, _ summary: LoRAFileSummary
    ) throws(Fault) {
      let value: JSONValue = [
        "input": .string(lora), "from": .string(input.spelling.title), "to": .string(to.rawValue),
        "modules": .array(
          result.modules.map {
            [
              "name": .string($0.target.kohyaName), "kind": .string($0.kind.rawValue),
              "change": .string("\($0.change)"),
            ]
          }),
        "output": summary.json,
      ]
      Terminal.write(try value.serialized(pretty: true) + "\n")
    }
  }
}
