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
  var hashes: KnownHashes?

  // MARK: For people

  /// The report for a terminal.
  func lines(width: Int, listWidth: Int, style: Style, listing: Bool) -> [String] {
    var texts: [StyledText] = [
      "\(base, .name): \(plan.identity.title), \(plan.base.container.title)"
    ]
    for index in plan.request.loras.indices { texts += plan.summary(of: index, listing: listing) }
    let verb = seconds == nil ? "would write" : "wrote"
    let time = seconds.map { " in " + Written.duration(seconds: $0) } ?? ""
    texts.append(
      "\(verb) \(output, .name): \(conversion.request.layout.title), \(Written.count(plan.changedCount)) of \(Written.count(conversion.tensors.count, "tensor")) changed, \(Written.fileSize(conversion.outputByteCount))\(time)"
    )
    var lines = texts.flatMap { $0.wrapped(to: width) }.map { $0.rendered(style) }
    lines += [""] + plan.blockTable(effects, width: width, style: style)
    if !effects.isEmpty {
      lines += [""] + topTable(width: listWidth, style: style, limit: listing ? .max : 5)
    }
    lines += notes().flatMap { $0.wrapped(to: width) }.map { $0.rendered(style) }
    return lines
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
      "loras": .array(plan.request.loras.indices.map { plan.jsonValue(of: $0) }),
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
}
