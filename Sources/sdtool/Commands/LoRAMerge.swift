import ArgumentParser
import Checkpoint
import Glibc
import Inspection
import JSON
import Layouts
import LoRA
import SafeTensors
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
        text encoder and U-Net, lbw= for block weights (a preset such as OUTD, IN05 for one block, \
        NIN05 for all others, or 12, 17, 20 or 26 numbers), \
        lbw-rest=0 or 1 for blocks that a vector does not list, and lbwe= for layers, as \
        BLOCKS/LAYERS/weight. What stands in prompts is taken as it is: <lora:name:1:lbw=OUTALL>; \
        the name is looked for below --lora-dir.

        EXAMPLES
          sdtool lora-merge sd.safetensors --lora style.safetensors:0.8 -o new.safetensors
          sdtool lora-merge sd.safetensors --lora a.safetensors:0.6:lbw=OUTD:te=0.5 \\
            --lora b.safetensors:-0.4 -o out.safetensors
          sdtool lora-merge model/ --lora '<lora:style:0.7>' --lora-dir loras -o folder
          sdtool lora-merge sd.ckpt --lora style.safetensors -o new.safetensors --plan

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

    @OptionGroup var file: ModelOutputOptions

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

    @Flag(help: "List every tensor of the LoRAs that is not applied, and every changed weight.")
    var list = false

    @Flag(help: "Do not compute the hashes by which the output will be known.")
    var noHash = false

    @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
    var variant: String?

    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func validate() throws {
      if lora.isEmpty { throw ValidationError("give at least one --lora") }
      try finder.validate(lora)
    }

    private var finder: LoRAFinder { LoRAFinder(folder: loraDir, presetFile: lbwPresets) }

    func run() throws {
      try orFail { () throws(Fault) in try merge() }
    }

    private func merge() throws(Fault) {
      let threads = machine.threads ?? availableProcessors
      let uses = try finder.open(lora)
      let model = try openModel(path: base, variant: variant)
      let plan = try LoRAMergePlan(model, request(uses), width: threads)
      let metadata = try LoRALineage(plan, base: base, arguments: lora).entries(
        of: model, title: title, version: SDTool.version)
      let merged = LoRAMergedSource(plan, metadata: metadata)
      var conversion = ConversionPlan(of: merged, conversionRequest(model))
      for problem in plan.problems { conversion.add(problem) }
      do throws(Fault) {
        try conversion.checkOutput(file.output, replacing: file.force)
      } catch { conversion.add(error) }
      var report = LoRAMergeReport(
        plan: plan, conversion: conversion, base: base, arguments: lora, output: file.output)
      if file.plan {
        try print(report)
        if let problem = conversion.problems.first { throw problem }
        return
      }
      if let problem = conversion.problems.first { throw problem }
      try merged.verifyChecksums(width: threads)
      let hashes = noHash || file.usedLayout != .safetensors ? nil : WrittenHashes()
      let progress = file.progress(total: conversion.dataByteCount)
      _ = try conversion.write(
        to: file.output, replacing: file.force, width: threads,
        observers: hashes?.observers ?? [], progress: progress.add)
      report.seconds = progress.finish()
      report.effects = merged.tensorEffects()
      report.hashes = hashes?.known()
      if !noHash, file.usedLayout == .ckpt {
        report.hashes = KnownHashes(
          try FileHashes(of: InputFile(path: file.output), width: threads))
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
        if let type = file.types[component] { request.types[component] = type }
      }
      return request
    }

    private func conversionRequest(_ model: any TensorSource) -> ConversionRequest {
      var request = ConversionRequest(layout: file.usedLayout)
      request.types = file.types
      request.overflow = overflow == .clamp ? .clamp : .error
      // The tensors of a safetensors file stay where they were.
      if model.container == .safetensors { request.order = .given }
      return request
    }

    /// The name of the output, without folders and suffix.
    private var title: String {
      let name = file.output.split(separator: "/").last.map(String.init) ?? file.output
      return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    }

    private func print(_ report: LoRAMergeReport) throws(Fault) {
      try file.show(
        json: report.json,
        lines: report.lines(
          width: text.width, listWidth: text.listWidth, style: text.style, listing: list))
    }
  }
}
