import ArgumentParser
import Inspection
import JSON
import LoRA
import Pictures
import StableDiffusion
import Tensors

extension SDTool {
  /// The command `sdtool inspect`, which tells what a file is.
  struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says what a model is and what is in it.",
      discussion: """
        Reads headers only, unless --stats or --hash is given, so that it takes no longer for a \
        large model. Any sound model file is accepted, Stable Diffusion or not. Of a PNG file it shows how the \
        picture was made, as the web UIs and txt2img write it.

        EXAMPLES
          sdtool inspect model.safetensors
          sdtool inspect --tree model.ckpt
          sdtool inspect --tensors '*.attn2.*' --stats model.safetensors
          sdtool inspect picture.png
          sdtool inspect --json model/ | jq .components

        EXIT CODES
          0 inspected, 2 a file is unreadable, broken or unsafe, 64 wrong usage
        """)

    @OptionGroup var models: ModelOptions

    @Flag(help: "List the normalisation layers.")
    var norms = false

    @Flag(help: "List the convolutions.")
    var convs = false

    @Flag(help: "Draw the module tree with the classic block names.")
    var tree = false

    @Option(help: ArgumentHelp("How deep --tree goes below the components.", valueName: "levels"))
    var depth: Int?

    @Option(
      help: ArgumentHelp(
        "List the tensors whose names fit a pattern ('*' for all).", valueName: "pattern"))
    var tensors: String?

    @Flag(
      help:
        "With --tensors: smallest, largest, mean, standard deviation, NaN; of a LoRA the effective rank. Reads values."
    )
    var stats = false

    @Flag(help: "Show the metadata.")
    var metadata = false

    @Flag(help: "Show the hashes by which the file is known; reads all of it.")
    var hash = false

    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func validate() throws {
      if let depth, depth < 0 { throw ValidationError("--depth must not be negative") }
    }

    func run() throws {
      let pictures = models.files.filter { PictureTexts.isPNG(path: $0) }
      if !pictures.isEmpty {
        guard pictures.count == models.files.count else {
          throw ValidationError("look at pictures and models one after the other")
        }
        return try inspect(pictures)
      }
      var isFirst = true
      try printEachModel(models) { model throws(Fault) in
        if models.json { return .json(try value(of: model)) }
        defer { isFirst = false }
        let text = try lines(for: model).joined(separator: "\n") + "\n"
        return .text(isFirst ? text : "\n" + text)
      }
    }

    /// The components that the model has; all where it has none.
    private func components(of model: InspectedModel) -> [Component] {
      let present = model.identity.components.map(\.component)
      return present.isEmpty ? Component.allCases : present
    }

    private func lines(for model: InspectedModel) throws(Fault) -> [String] {
      let style = text.style
      let width = text.listWidth
      var sections: [[String]] = []
      let components = components(of: model)
      let schema = model.identity.schema
      if tree {
        sections.append(
          ModuleTree(schema, components: components)
            .lines(depth: depth ?? .max, width: width, style: style))
      }
      if norms {
        sections.append(
          LayerTable(.norms, of: schema, components: components).lines(width: width, style: style))
      }
      if convs {
        sections.append(
          LayerTable(.convolutions, of: schema, components: components)
            .lines(width: width, style: style))
      }
      let lora = try adapter(model)
      if tensors != nil || stats && lora == nil {
        sections.append(try list(model).lines(width: width, style: style))
      }
      if metadata { sections.append(metadataLines(of: model, style: style, width: width)) }
      if hash { sections.append(try hashLines(of: model, style: style)) }
      let isAlone = !sections.isEmpty
      if !isAlone {
        var lines = model.summaryLines(width: text.width, style: style)
        if let lora { lines += lora.lines(width: text.width, style: style) }
        sections.append(lines)
      }
      let title =
        models.files.count > 1 && isAlone ? [style.paint(model.source.path.sanitized, .name)] : []
      return title + Array(sections.joined(separator: [""]))
    }

    /// What the model is as a LoRA, if it is one that can be made sense of.
    private func adapter(_ model: InspectedModel) throws(Fault) -> LoRASummary? {
      guard model.identity.kind == .adapter,
        let file = try? LoRAFile(path: model.source.path)
      else { return nil }
      return try LoRASummary(
        file, withValues: stats, threads: machine.threads ?? availableProcessors)
    }

    private func list(_ model: InspectedModel) throws(Fault) -> TensorList {
      try TensorList(
        model, matching: Glob(tensors ?? "*"), withStatistics: stats,
        threads: machine.threads ?? availableProcessors)
    }

    private func metadataLines(
      of model: InspectedModel, style: Style, width: Int
    ) -> [String] {
      guard !model.source.metadata.isEmpty else { return [style.paint("no metadata", .faint)] }
      var table = TextTable([.init("key"), .init("value", shrinks: true)])
      for entry in model.source.metadata {
        table.append(["\(entry.key, .name)", "\(entry.value)"])
      }
      return table.lines(width: width, style: style)
    }

    private func value(of model: InspectedModel) throws(Fault) -> JSONValue {
      guard var object = model.json.object else { return .null }
      let components = components(of: model)
      let schema = model.identity.schema
      if tree { object["tree"] = ModuleTree(schema, components: components).json }
      if norms {
        object["norm_layers"] = LayerTable(.norms, of: schema, components: components).json
      }
      if convs {
        object["conv_layers"] = LayerTable(.convolutions, of: schema, components: components).json
      }
      if tensors != nil || stats { object["tensor_list"] = try list(model).json }
      if let lora = try adapter(model) { object["lora"] = lora.json }
      if hash { object["hashes"] = try hashValue(of: model) }
      return .object(object)
    }
  }
}
