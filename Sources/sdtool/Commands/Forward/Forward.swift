import ArgumentParser
import Checkpoint
import Inference
import Inspection
import JSON
import SafeTensors
import StableDiffusion
import Synthesis
import Tensors

extension SDTool {
  /// The command `sdtool forward`, which runs one component of a model.
  struct Forward: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Runs one component of a model, and stores, compares or profiles what it gives.",
      discussion: """
        COMPONENT is unet, vae-encode, vae-decode or text. Inputs are tensors of a safetensors file, \
        and outputs are written as one:

          unet        latent [n,4,h,w], timestep [n], context [n,77,768] → noise
          vae-encode  image [n,3,8h,8w], -1 to 1 → mean, log_variance [n,4,h,w]
          vae-decode  latent [n,4,h,w], divided by 0.18215 → image
          text        tokens [n,77] → context

        Without --input random numbers of the size --size go in. --prompt gives text its tokens, and \
        unet its context by the model's own text encoder. --trace stores the results of \
        modules, by their paths in diffusers or the original naming. --compare runs and compares with \
        every tensor of another file: outputs, and modules by their diffusers paths.

        PRECISION
          reference  single precision, the same bits on any number of threads and any processor
          f32        single precision, faster
          bf16       half the memory; needs AVX-512 with BF16

        EXAMPLES
          sdtool forward unet --model m.safetensors --input in.safetensors -o out.safetensors
          sdtool forward unet --model m.safetensors --input in.safetensors --trace '*.attn2' -o t.safetensors
          sdtool forward text --model m.safetensors --prompt "a lighthouse at dusk" -o context.safetensors
          sdtool forward unet -m m.safetensors --prompt cat --timestep 500 --input in.safetensors -o out.safetensors
          sdtool forward vae-decode --model m.ckpt --input z.safetensors --compare golden.safetensors
          sdtool forward unet -m recipe.yaml --lora style.safetensors:0.8 --input in.safetensors -o out.safetensors
          sdtool forward unet --shapes --size 768x512
          sdtool forward unet --model m.safetensors --batch 2 --profile

        EXIT CODES
          0 done, 1 --compare found differences, 2 a file or the model cannot be used, 64 wrong usage
        """)

    @Argument(help: ArgumentHelp("unet, vae-encode, vae-decode or text.", valueName: "component"))
    var part: ForwardPart

    @OptionGroup var model: RunnableModelOptions

    @Option(help: ArgumentHelp("The inputs, a safetensors file.", valueName: "file"))
    var input: String?

    @Option(
      name: [.short, .customLong("output")],
      help: ArgumentHelp("Where outputs go, a safetensors file.", valueName: "file"))
    var output: String?

    @Flag(help: "Replace an existing output.")
    var force = false

    @OptionGroup var inputs: ForwardInputOptions

    @Option(help: "How exactly: \(Precision.allCases.map(\.rawValue).joined(separator: ", ")).")
    var precision: Precision = .f32

    @Option(
      help: ArgumentHelp("Store what modules give; may be repeated.", valueName: "glob"))
    var trace: [String] = []

    @Option(help: ArgumentHelp("Compare with this safetensors file.", valueName: "file"))
    var compare: String?

    @Option(
      help: ArgumentHelp(
        "The largest difference that is allowed, in standard deviations of what is expected.",
        valueName: "number"))
    var tolerance: Double = 1e-4

    @Flag(help: "Print every module with its shapes and operations; compute nothing.")
    var shapes = false

    @Flag(help: "Print where the time goes.")
    var profile = false

    @Option(help: "Run so often: the first arranges the weights. Times are of the last.")
    var runs = 1

    @Flag(help: "Write JSON.")
    var json = false

    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func validate() throws {
      if model.model == nil, !shapes { throw ValidationError("name a model with --model") }
      if output == nil, compare == nil, !shapes, !profile {
        throw ValidationError("give an output with -o, or --compare, --shapes or --profile")
      }
      if !inputs.prompt.isEmpty, !part.inputs.contains(where: ["tokens", "context"].contains) {
        throw ValidationError("\(part.rawValue) takes no --prompt")
      }
      if !inputs.prompt.isEmpty, shapes {
        throw ValidationError("--shapes computes nothing; leave out --prompt")
      }
      if !(1...1000).contains(runs) { throw ValidationError("--runs must be from 1 to 1000") }
      if tolerance.isNaN || tolerance < 0 { throw ValidationError("--tolerance must be 0 or more") }
    }

    func run() throws {
      var failed = false
      try orFail { () throws(Fault) in
        let golden = try compare.map { path throws(Fault) in try ForwardTensors(path: path) }
        let report = try forward(golden)
        if let output {
          try SafeTensorsFile.write(
            NamedArrays(report.outputs), to: output, metadata: nil, replacing: force, width: 1)
        }
        failed = report.comparisons.contains { !$0.isWithin(tolerance) }
        Terminal.write(
          json ? try report.json.serialized(pretty: true) + "\n" : report.text(text))
      }
      if failed { throw ExitCode.findings }
    }

    private func forward(_ golden: ForwardTensors?) throws(Fault) -> ForwardReport {
      let threads = machine.threads ?? availableProcessors
      let source = try model.open(threads: threads) ?? SyntheticModel(preset: .sd15, seed: 0)
      if let output {
        try checkOutput(
          output,
          isNoneOf: source.files.map(\.path) + [model.model, input, compare].compactMap(\.self))
      }
      let given = try input.map { path throws(Fault) in try ForwardTensors(path: path) }
      let runtime = try Runtime(precision: precision, threads: threads)
      var observation = Observation()
      observation.trace = trace.map { Glob($0) }
      for name in golden?.names ?? [] where !part.outputs.contains(name) {
        // As an exact name: one without wildcards would match all that contain it.
        observation.trace.append(Glob("?" + name.dropFirst()))
      }
      observation.isPlanned = shapes
      observation.isTimed = profile
      let clock = ContinuousClock()
      let start = clock.now
      let runner = try ForwardRunner(part, source, runtime, isPlanned: shapes)
      let loaded = clock.now
      let tensors = try runner.inputs(given, inputs)
      var runSeconds: [Double] = []
      for _ in 1..<runs {
        let start = clock.now
        var unobserved = Observation()
        unobserved.isPlanned = shapes
        _ = try runner.run(tensors, inputs, observing: &unobserved)
        runSeconds.append((clock.now - start).inSeconds)
      }
      let last = clock.now
      let outputs = try runner.run(tensors, inputs, observing: &observation)
      runSeconds.append((clock.now - last).inSeconds)
      if !trace.isEmpty, !shapes, observation.activations.isEmpty {
        throw Fault(
          .badInput, "no module of the \(part.rawValue) is called like that",
          found: trace.joined(separator: ", "), hint: "--shapes lists them all")
      }
      var report = ForwardReport(
        part: part, title: InspectedModel(source).title, path: source.path, runtime: runtime)
      report.isPlanned = shapes
      report.tolerance = tolerance
      report.loadSeconds = (loaded - start).inSeconds
      report.runSeconds = runSeconds
      report.weightByteCount = runner.weightByteCount
      report.observation = observation
      report.inputs = tensors.map { ($0.name, $0.value.shape) }
      report.outputs = outputs + observation.activations.map { ($0.path, $0.value) }
      report.profile = profile
      if let golden {
        report.comparisons = try golden.compare(report.outputs, without: part.inputs)
      }
      return report
    }
  }
}

extension Duration {
  /// The duration in seconds.
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}

/// What `sdtool forward` can run.
enum ForwardPart: String, CaseIterable, ExpressibleByArgument {
  case unet
  case vaeEncode = "vae-encode"
  case vaeDecode = "vae-decode"
  case text

  /// The names of what goes in.
  var inputs: [String] {
    switch self {
    case .unet: ["latent", "timestep", "context"]
    case .vaeEncode: ["image"]
    case .vaeDecode: ["latent"]
    case .text: ["tokens"]
    }
  }

  /// The names of what comes out.
  var outputs: [String] {
    switch self {
    case .unet: ["noise"]
    case .vaeEncode: ["mean", "log_variance"]
    case .vaeDecode: ["image"]
    case .text: ["context"]
    }
  }
}
