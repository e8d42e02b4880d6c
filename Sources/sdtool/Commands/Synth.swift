import ArgumentParser
import Inspection
import Layouts
import Synthesis
import Tensors

extension SDTool {
  /// The command `sdtool synth`, which makes a model of random numbers.
  struct Synth: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes a synthetic model: every real name and shape, random weights.",
      discussion: """
        The same preset, seed and type give the same bytes on every machine. Weights are scaled so \
        that a forward pass stays finite; pictures look like noise. For tests, demonstrations and \
        benchmarks, without downloading a model.

        EXAMPLES
          sdtool synth --preset sd15 --seed 1 --dtype f16 -o model.safetensors
          sdtool synth --preset sd15-tiny -o tiny.ckpt
          sdtool synth --preset sd15 --layout diffusers -o folder

        EXIT CODES
          0 written, 2 cannot be written, 64 wrong usage
        """)

    @Option(
      help: ArgumentHelp(
        "What to make: \(SynthesisPreset.allCases.map(\.rawValue).joined(separator: ", ")).",
        valueName: "name"))
    var preset: SynthesisPreset = .sd15

    @Option(help: "The number that the weights follow from.")
    var seed: UInt64 = 0

    @Option(help: "Type of the weights: f16, bf16 or f32.")
    var dtype: WeightType = .f16

    @Option(
      help: ArgumentHelp(
        "Layout: \(OutputLayout.allCases.map(\.rawValue).joined(separator: ", ")) "
          + "(default: by the suffix of the output).", valueName: "layout"))
    var layout: OutputLayout?

    @Option(name: [.short, .customLong("output")], help: "The file or folder to make.")
    var output: String

    @Flag(help: "Replace an existing output.")
    var force = false

    @Flag(help: "Say nothing.")
    var quiet = false

    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func run() throws {
      try orFail { () throws(Fault) in
        let model = SyntheticModel(preset: preset, seed: seed, dtype: dtype.dtype)
        var writer = ModelWriter(layout: layout ?? OutputLayout(path: output))
        writer.replacing = force
        writer.width = machine.threads ?? availableProcessors
        try writer.write(model, to: output, metadata: model.metadata)
        guard !quiet else { return }
        let bytes = model.tensors.reduce(0) { $0 + $1.byteCount }
        let line: StyledText =
          "wrote \(output, .name): \(writer.layout.title), \(Written.count(model.tensors.count, "tensor")), \(Written.fileSize(bytes))"
        Terminal.write(line.rendered(text.style) + "\n")
      }
    }
  }

  /// The types that weights can be written in.
  enum WeightType: String, CaseIterable, ExpressibleByArgument {
    case f16, bf16, f32

    var dtype: DType {
      switch self {
      case .f16: .f16
      case .bf16: .bf16
      case .f32: .f32
      }
    }
  }
}
