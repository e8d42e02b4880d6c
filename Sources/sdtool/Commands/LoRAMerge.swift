import ArgumentParser
import Checkpoint
import Glibc
import Inspection
import JSON
import Layouts
import LoRA
import StableDiffusion
import Tensors

extension SDTool {
  /// `sdtool lora-merge`: LoRAs become part of a model.
  struct LoRAMerge: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "lora-merge",
      abstract: "Merges LoRAs into a model.",
      discussion: """
        Reads LoRAs in every spelling: kohya, LyCORIS, diffusers, PEFT, ComfyUI, OneTrainer, \
        cloneofsimo, HCP. All changes of a weight are added in single precision and rounded once; \
        what no LoRA changes is copied byte for byte. Every tensor of a LoRA is accounted for: \
        one that fits nothing is an error, unless --allow-unmatched.

        After a LoRA's path come its strength and, with colons between them, te= and unet= for \
        text encoder and U-Net, lbw= for block weights (a preset or 12, 17, 20 or 26 numbers), \
        lbw-rest=0 or 1 for blocks that a vector does not list, and lbwe= for layers, as \
        BLOCKS/LAYERS/weight. What stands in prompts is taken as it is: <lora:name:1:lbw=OUTALL>; \
        the name is looked for below --lora-dir.

        EXAMPLES
          sdtool lora-merge model.safetensors --lora style.safetensors:0.8 -o out.safetensors
          sdtool lora-merge model.safetensors --lora a.safetensors:0.6:lbw=OUTD:te=0.5 \\
            --lora b.safetensors:-0.4 -o out.safetensors
          sdtool lora-merge model/ --lora '<lora:style:0.7>' --lora-dir loras -o folder
          sdtool lora-merge model.safetensors --lora style.safetensors -o out.safetensors --plan

        EXIT CODES
          0 merged, 2 cannot be merged, read or written, 64 wrong usage
        """)

    @Argument(help: ArgumentHelp("The model: a file or folder.", valueName: "base"))
    var base: String

    @Option(
      help: ArgumentHelp(
        "A LoRA with its strength; repeatable.", valueName: "path[:strength][:key=value…]"))
    var lora: [String] = []

    @Option(help: ArgumentHelp("The folder of the LoRAs that are named.", valueName: "folder"))
    var loraDir: String?

    @Option(
      help: ArgumentHelp("Presets of block weights, one NAME:v,v,… a line.", valueName: "file"))
    var lbwPresets: String?

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
        "Type of the weights: keep, f32, f16 or bf16; for one component vae=f32. Repeatable.",
        valueName: "type"))
    var dtype: [TypeArgument] = []

    @Option(help: "Results too large for their type: error or clamp.")
    var overflow: LoRAMergeRequest.Overflow = .error

    @Option(help: "What DoRA magnitudes belong to where their shape does not tell: out or in.")
    var doraAxis: Magnitude.Axis?

    @Option(
      help: ArgumentHelp(
        "Do as another program does: "
          + LoRACompatibility.allCases.map(\.rawValue).joined(separator: ", ") + ". Repeatable.",
        valueName: "behaviour"))
    var compat: [LoRACompatibility] = []

    @Flag(help: "Go on without tensors of a LoRA that fit nothing.")
    var allowUnmatched = false

    @Flag(help: "Say what would be done; fail if it would fail.")
    var plan = false

    @Flag(help: "List every tensor of the LoRAs that is not applied, and every changed weight.")
    var list = false

    @Flag(help: "Write JSON.")
    var json = false

    @Flag(help: "Replace an existing output.")
    var force = false

    @Flag(help: "Do not compute the hashes by which the output will be known.")
    var noHash = false

    @Flag(help: "Say nothing, unless it fails.")
    var quiet = false

    @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
    var variant: String?

    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func validate() throws {
      if output.isEmpty { throw ValidationError("--output must not be empty") }
      if lora.isEmpty { throw ValidationError("give at least one --lora") }
    }

    func run() throws {
      try orFail { () throws(Fault) in try merge() }
    }

    private func merge() throws(Fault) {
      let threads = machine.threads ?? availableProcessors
      let finder = LoRAFinder(folder: loraDir, presetFile: lbwPresets)
      let uses = try finder.open(lora)
      let model = try openModel(path: base, variant: variant)
      let plan = try LoRAMergePlan(model, request(uses), width: threads)
      let metadata = try LoRALineage(plan, base: base, arguments: lora).entries(
        of: model, title: title, version: SDTool.version)
      let merged = LoRAMergedSource(plan, metadata: metadata)
      var conversion = ConversionPlan(of: merged, conversionRequest)
      for problem in plan.problems { conversion.add(problem) }
      do throws(Fault) {
        try conversion.checkOutput(output, replacing: force)
      } catch { conversion.add(error) }
      var report = LoRAMergeReport(
        plan: plan, conversion: conversion, base: base, arguments: lora, output: output)
      if self.plan {
        try print(report)
        if let problem = conversion.problems.first { throw problem }
        return
      }
      if let problem = conversion.problems.first { throw problem }
      try merged.verifyChecksums(width: threads)
      let progress = Progress(
        total: conversion.dataByteCount, isShown: !quiet && !json, label: "writing")
      _ = try conversion.write(
        to: output, replacing: force, width: threads, progress: progress.add)
      report.seconds = progress.finish()
      report.effects = merged.tensorEffects()
      if !noHash, conversion.request.layout == .safetensors || conversion.request.layout == .ckpt {
        report.hashes = try FileHashes(of: InputFile(path: output), width: threads)
      }
      try print(report)
    }

    private func request(_ uses: [LoRAUse]) -> LoRAMergeRequest {
      var request = LoRAMergeRequest(uses)
      request.magnitudeAxis = doraAxis
      request.compatibility = Set(compat)
      request.overflow = overflow
      request.allowsUnmatched = allowUnmatched
      for component in Component.allCases {
        if let type = types[component] { request.types[component] = type }
      }
      return request
    }

    private var conversionRequest: ConversionRequest {
      var request = ConversionRequest(layout: layout ?? OutputLayout(path: output))
      request.types = types
      request.overflow = overflow == .clamp ? .clamp : .error
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

    /// The name of the output, without folders and suffix.
    private var title: String {
      let name = output.split(separator: "/").last.map(String.init) ?? output
      return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    }

    private func print(_ report: LoRAMergeReport) throws(Fault) {
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
