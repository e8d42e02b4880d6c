import Inspection
import JSON
import Layouts
import LoRA
import StableDiffusion
import Tensors

/// What merging LoRAs into a model will do, or did, for people and for programs.
struct LoRAMergeReport {
  let plan: LoRAMergePlan
  let conversion: ConversionPlan
  /// The model, as the user named it.
  let base: String
  /// The LoRAs, as the user named them.
  let arguments: [String]
  let output: String
  /// What was done to each tensor; empty before.
  var effects: [TensorEffect] = []
  /// How long it took; `nil` if nothing was written.
  var seconds: Double?
  /// The hashes of the output.
  var hashes: FileHashes?

  private static let words = ["applied", "preserved", "ignored", "unmatched"]

  private func count(_ index: Int, _ word: String) -> Int {
    plan.ledgers[index].count { $0.word == word }
  }

  // MARK: For people

  /// The report for a terminal.
  func lines(width: Int, listWidth: Int, style: Style, listing: Bool) -> [String] {
    var texts: [StyledText] = [
      "\(base, .name): \(plan.identity.title), \(plan.base.container.title)"
    ]
    for index in plan.request.loras.indices { texts += lora(index, listing: listing) }
    let verb = seconds == nil ? "would write" : "wrote"
    let time = seconds.map { " in " + Written.duration(seconds: $0) } ?? ""
    texts.append(
      "\(verb) \(output, .name): \(conversion.request.layout.title), \(Written.count(plan.changedCount)) of \(Written.count(conversion.tensors.count, "tensor")) changed, \(Written.fileSize(conversion.outputByteCount))\(time)"
    )
    var lines = texts.flatMap { $0.wrapped(to: width) }.map { $0.rendered(style) }
    lines += [""] + blockTable(width: width, style: style)
    if !effects.isEmpty {
      lines += [""] + topTable(width: listWidth, style: style, limit: listing ? .max : 5)
    }
    lines += notes().flatMap { $0.wrapped(to: width) }.map { $0.rendered(style) }
    return lines
  }

  private func lora(_ index: Int, listing: Bool) -> [StyledText] {
    let use = plan.request.loras[index]
    let census = LoRACensus(use.file)
    let names = census.kinds.map(\.kind.rawValue) + (census.decomposedCount > 0 ? ["DoRA"] : [])
    let kinds = names.joined(separator: ", ")
    var lines: [StyledText] = [
      "\(use.file.path, .name): \(kinds.isEmpty ? "LoRA" : kinds), \(use.file.spelling.title); U-Net \(census.unetCount), text encoder \(census.textEncoderCount) of \(LoRACensus.usualTextEncoder) modules\(Self.ranks(census))"
    ]
    lines.append("  strength \(Self.describe(use.strength), .strong)")
    let counts = Self.words.map { (word: $0, count: count(index, $0)) }.filter { $0.count > 0 }
    lines.append(
      "  tensors: \(counts.map { "\(Written.count($0.count)) \($0.word)" }.joined(separator: ", "))"
    )
    if listing {
      for (tensor, entry) in plan.ledgers[index].enumerated() {
        let name = use.file.source.tensors[tensor].name
        switch entry {
        case .applied: continue
        case .preserved(let reason), .ignored(let reason), .unmatched(let reason):
          lines.append("    \(entry.word, .caution) \(name, .name): \(reason)")
        }
      }
    }
    return lines
  }

  private static func ranks(_ census: LoRACensus) -> String {
    guard let first = census.ranks.first, let last = census.ranks.last else { return "" }
    return first.rank == last.rank
      ? ", rank \(first.rank)" : ", ranks \(first.rank) to \(last.rank)"
  }

  private static func describe(_ strength: LoRAStrength) -> String {
    var text = "\(strength.unet)"
    if strength.textEncoder != strength.unet {
      text = "\(strength.unet) in the U-Net, \(strength.textEncoder) in the text encoder"
    }
    if let vector = strength.vector { text += ", block weights \(vector.text)" }
    if !strength.rules.isEmpty {
      text += ", layers \(strength.rules.map(\.text).joined(separator: "; "))"
    }
    return text
  }

  /// The weights of every block, and what happened there.
  private func blockTable(width: Int, style: Style) -> [String] {
    var columns: [TextTable.Column] = [.init("block")]
    for index in plan.request.loras.indices {
      columns.append(
        .init(plan.request.loras.count == 1 ? "modules" : "modules \(index + 1)", .right))
      columns.append(.init("strength", .right))
    }
    if !effects.isEmpty {
      columns += [.init("‖ΔW‖/‖W‖", .right), .init("kept", .right)]
    }
    var table = TextTable(columns)
    let summaries = BlockSummary.all(effects)
    for place in Place.allCases where place != .vae && place != .label {
      let counts = plan.request.loras.map { use in
        use.file.modules.count { $0.target.place == place }
      }
      guard counts.contains(where: { $0 > 0 }) else { continue }
      var row: [StyledText] = ["\(LoRABlocks.name(place), .name)"]
      for (count, use) in zip(counts, plan.request.loras) {
        row.append("\(Written.count(count))")
        row.append("\(count == 0 ? "–" : Self.strengths(use, at: place))")
      }
      if let summary = summaries.first(where: { $0.place == place }) {
        row.append("\(Written.decimal(summary.ratio * 100, digits: 3))%")
        row.append("\(Written.decimal(summary.survivingShare * 100, digits: 1))%")
      }
      table.append(row)
    }
    if !effects.isEmpty {
      table.appendRule()
      let whole = BlockSummary.whole(effects)
      let blanks = plan.request.loras.flatMap { _ in [StyledText(), StyledText()] }
      table.append(
        ["\("all", .strong)"] + blanks + [
          "\(Written.decimal(whole.ratio * 100, digits: 3))%",
          "\(Written.decimal(whole.survivingShare * 100, digits: 1))%",
        ])
    }
    return table.lines(width: width, style: style)
  }

  /// The strength of a block: one number, or the range where layers differ.
  private static func strengths(_ use: LoRAUse, at place: Place) -> String {
    let values = use.file.modules.filter { $0.target.place == place }
      .map { use.strength($0.target) + 0 }  // No -0.
    guard let low = values.min(), let high = values.max() else { return "–" }
    return low == high ? "\(low)" : "\(low) … \(high)"
  }

  private func topTable(width: Int, style: Style, limit: Int) -> [String] {
    var table = TextTable([
      .init("strongest changes", shrinks: true), .init("‖ΔW‖", .right),
      .init("‖ΔW‖/‖W‖", .right), .init("kept", .right),
    ])
    let order = effects.enumerated().sorted {
      ($1.element.ratio, $0.offset) < ($0.element.ratio, $1.offset)
    }
    for (_, effect) in order.prefix(limit) {
      table.append([
        "\(effect.tensor.name, .name)", "\(Written.decimal(effect.changeNorm, digits: 4))",
        "\(Written.decimal(effect.ratio * 100, digits: 3))%",
        "\(Written.decimal(effect.survivingShare * 100, digits: 1))%",
      ])
    }
    return table.lines(width: width, style: style)
  }

  private func notes() -> [StyledText] {
    var texts: [StyledText] = []
    let zero = effects.filter { $0.changeNorm == 0 }
    if let first = zero.first {
      texts.append(
        "\("warning", .caution) \(Written.count(zero.count, "tensor")) of \(Written.count(effects.count)) do not change at all, first \(first.tensor.name, .name)"
      )
    }
    for effect in effects where effect.clampedCount > 0 {
      texts.append(
        "\("clamped", .caution) \(Written.count(effect.clampedCount, "value")) of \(effect.tensor.name, .name)"
      )
    }
    for behaviour in LoRACompatibility.allCases.filter(plan.request.compatibility.contains) {
      texts.append("\("compat", .note) \(behaviour.rawValue): \(behaviour.title)")
    }
    for finding in plan.findings {
      texts.append("\(finding.severity.rawValue, .caution) \(finding.description)")
    }
    for problem in conversion.problems {
      texts.append("\("problem", .bad) \(problem.description)")
    }
    if let hashes {
      texts.append("")
      texts.append("SHA-256  \(hashes.sha256)")
      texts.append(
        "AutoV2   \(hashes.autoV2, .strong)\(hashes.autoV3.map { "   AutoV3 \($0)" } ?? "")")
    }
    return texts
  }

  // MARK: For programs

  /// Everything, in a fixed order.
  var json: JSONValue {
    var object: JSONObject = [
      "base": .string(base), "output": .string(output), "written": .bool(seconds != nil),
      "layout": .string(conversion.request.layout.rawValue),
      "output_bytes": .integer(conversion.outputByteCount),
      "changed_tensors": .integer(plan.changedCount),
      "tensors": .integer(conversion.tensors.count),
      "loras": .array(plan.request.loras.indices.map(loraValue)),
      "blocks": .array(
        BlockSummary.all(effects).map {
          [
            "block": .string(LoRABlocks.name($0.place)), "tensors": .integer($0.tensorCount),
            "ratio": .double($0.ratio), "kept": .double($0.survivingShare),
          ]
        }),
      "effects": .array(
        effects.map {
          [
            "name": .string($0.tensor.name.string), "dtype": .string($0.tensor.dtype.name),
            "block": .string(LoRABlocks.name($0.place)), "change_norm": .double($0.changeNorm),
            "base_norm": .double($0.baseNorm), "ratio": .double($0.ratio),
            "kept": .double($0.survivingShare), "clamped": .integer($0.clampedCount),
          ]
        }),
      "zero_effect": .array(
        effects.filter { $0.changeNorm == 0 }.map { .string($0.tensor.name.string) }),
      "overflow_count": .integer(effects.reduce(0) { $0 + $1.clampedCount }),
      "compat": .array(
        LoRACompatibility.allCases.filter(plan.request.compatibility.contains)
          .map { .string($0.rawValue) }),
      "findings": .array(plan.findings.map(\.jsonValue)),
      "problems": .array(conversion.problems.map(\.jsonValue)),
    ]
    if !effects.isEmpty {
      let whole = BlockSummary.whole(effects)
      object["ratio"] = .double(whole.ratio)
      object["kept"] = .double(whole.survivingShare)
    }
    if let seconds { object["seconds"] = .double(seconds) }
    if let hashes {
      object["sha256"] = .string("\(hashes.sha256)")
      object["autov2"] = .string(hashes.autoV2)
      if let autoV3 = hashes.autoV3 { object["autov3"] = .string(autoV3) }
    }
    return .object(object)
  }

  private func loraValue(_ index: Int) -> JSONValue {
    let use = plan.request.loras[index]
    let census = LoRACensus(use.file)
    var object: JSONObject = [
      "path": .string(use.file.path), "spelling": .string(use.file.spelling.title),
      "types": .array(census.kinds.map { .string($0.kind.rawValue) }),
      "unet_modules": .integer(census.unetCount),
      "text_encoder_modules": .integer(census.textEncoderCount),
      "unet_strength": .double(use.strength.unet),
      "text_encoder_strength": .double(use.strength.textEncoder),
    ]
    if let vector = use.strength.vector {
      object["lbw"] = .string(vector.text)
      var values = JSONObject()
      for place in LoRABlocks.all { values[LoRABlocks.name(place)] = .double(vector[place]) }
      object["block_weights"] = .object(values)
    }
    for word in Self.words { object[word] = .integer(count(index, word)) }
    object["ledger"] = .array(
      plan.ledgers[index].enumerated().map { tensor, entry in
        var value: JSONObject = [
          "name": .string(use.file.source.tensors[tensor].name.string),
          "use": .string(entry.word),
        ]
        switch entry {
        case .applied(let module):
          let target = use.file.modules[module].target
          value["module"] = .string(target.path.diffusers)
          if let weight = target.weightTensor(in: plan.identity) {
            value["weight"] = .string(plan.base.tensors[weight].name.string)
          }
        case .preserved(let reason), .ignored(let reason), .unmatched(let reason):
          value["reason"] = .string(reason)
        }
        return .object(value)
      })
    return .object(object)
  }
}
