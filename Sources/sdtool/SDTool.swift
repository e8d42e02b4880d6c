import ArgumentParser
import Inspection
import Tensors

/// The command line: parses arguments, calls a library, prints.
@main
struct SDTool: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "sdtool",
    abstract: "Opens, checks and identifies Stable Diffusion 1.5 model files.",
    discussion: """
      Reads safetensors files, PyTorch checkpoints (zip, legacy and unpacked folders) and diffusers \
      folders, told apart by their contents. Nothing in a file is ever executed.

      Exit codes: 0 clean, 1 findings, 2 unreadable, broken or unsafe file, 64 wrong usage.
      """,
    version: version,
    subcommands: [
      Inspect.self, Validate.self, Hash.self, Diff.self, Ancestry.self, Draw.self, Report.self,
      Convert.self, Merge.self, MBW.self, LoRAMerge.self, LoRAVerify.self, LoRAAdd.self,
      LoRAResize.self, LoRAExtract.self, LoRAConvert.self, Forward.self, Txt2Img.self,
      Img2Img.self, Tokenize.self, Eval.self, Synth.self, Rules.self,
    ])

  /// Runs the command that the arguments name; suggests one if there is none of that name.
  static func main() {
    Interruption.watch()
    let arguments = Array(CommandLine.arguments.dropFirst())
    let names = configuration.subcommands.compactMap { $0._commandName } + ["help"]
    if let name = arguments.first, !name.hasPrefix("-"), !names.contains(name) {
      let near = nearest(to: name, in: names).map { "; did you mean '\($0)'?" } ?? ""
      Terminal.writeError("sdtool: there is no command '\(name.sanitized)'\(near)")
      Terminal.writeError("See 'sdtool --help' for the commands.")
      exit(withError: ExitCode.validationFailure)
    }
    main(arguments)
  }
}

extension ExitCode {
  /// There are findings at or above the level asked for.
  static let findings = ExitCode(1)
  /// A file is unreadable, broken or unsafe.
  static let unreadable = ExitCode(2)
}
