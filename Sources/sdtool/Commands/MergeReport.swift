import Inspection
import JSON
import LoRA
import Merge
import StableDiffusion
import Tensors

/// What a merge will do, or did, for people and for programs.
struct MergeReport {
  var recipe: RecipePlan
  let output: String?
  let threads: Int
  /// Whether all tensors are named; otherwise the first few of a kind.
  var listsAll = false

  private var plan: MergePlan { recipe.plan }
  /// How many names of a kind are listed.
  private static let limit = 5

  // MARK: Counts

  private var merged: Int { plan.tensors.count { $0.isMerged } }

  /// The tensors copied from each input.
  private func copied(from input: Int) -> Int {
    plan.tensors.count {
      if case .copy(let operand) = $0.operation { operand.input == input } else { false }
    }
  }

  /// The tensors that only some inputs have.
  private var partial: [PlannedTensor] {
    plan.tensors.filter { tensor in
      tensor.holders.count < formulaCount
        && !(plan.request.bakesVAE && tensor.holders == [plan.inputs.count - 1])
    }
  }

  private var formulaCount: Int { plan.inputs.count - (plan.request.bakesVAE ? 1 : 0) }

  /// How often tensors change their type, by both types.
  private var casts: [(from: DType, to: DType, count: Int)] {
    var counts: [[DType]: Int] = [:]
    for tensor in plan.tensors where tensor.info.dtype != tensor.originalType {
      counts[[tensor.originalType, tensor.info.dtype], default: 0] += 1
    }
    return counts.sorted { ($1.key[0], $1.key[1]) < ($0.key[0], $0.key[1]) }
      .map { (from: $0.key[0], to: $0.key[1], count: $0.value) }
  }

  /// The tensors that had another name in the first input that they are taken from.
  private var renamed: [(name: TensorName, original: TensorName, input: Int)] {
    plan.tensors.compactMap { tensor in
      guard let operand = tensor.operands.first else { return nil }
      let original = plan.inputs[operand.input].source.tensors[operand.tensor].name
      return original == tensor.info.name ? nil : (tensor.info.name, original, operand.input)
    }
  }

  /// The tensors that belong to nothing known, and are in the output as they are.
  private var unknown: [PlannedTensor] {
    plan.tensors.filter { $0.purpose == .unknown && !$0.isMerged }
  }

  private func name(of input: Int) -> String {
    guard let names = recipe.steps.last?.inputs, input < names.count else { return "\(input)" }
    return names[input]
  }

  /// Weight, tensors and values of every place.
  func table() -> PlaceTable {
    PlaceTable(
      plan.request.alpha,
      tensors: plan.tensors.lazy.compactMap { tensor in
        tensor.place.map {
          PlaceTable.Tensor(tensor.info.name, at: $0, elementCount: tensor.info.elementCount)
        }
      })
  }

  // MARK: For people

  /// The weights and what becomes of the tensors.
  func lines(width: Int, style: Style, done: (seconds: Double, source: MergedSource)?) -> [String] {
    var lines: [StyledText] = []
    for model in recipe.recipe.models {
      guard let source = recipe.models[model.name] else { continue }
      lines.append(
        "\(model.name, .strong)  \(source.path, .name)  \(source.container.title, .faint)")
    }
    let plans = Dictionary(recipe.steps.map { ($0.name, $0) }) { first, _ in first }
    let written = recipe.recipe.steps.map(\.name)
    // A recipe without steps has one all the same.
    for name in written + recipe.steps.map(\.name).filter({ !written.contains($0) }) {
      if let step = recipe.recipe.steps.first(where: { $0.name == name }), !step.loras.isEmpty {
        lines.append(
          "\(name, .strong)  lora  \(step.loras.joined(separator: ", "), .name) in \(step.inputs.joined(separator: ", "))"
        )
        lines += loraLines(name)
      } else if let step = plans[name] {
        let method = step.plan.request.method
        lines.append(
          "\(name, .strong)  \(method.name, .name)  \(method.formula) of \(step.inputs.joined(separator: ", "))"
        )
      }
    }
    lines.append("")
    if !isLoRA, plan.request.method.parameters.contains(where: { $0.kind == .alpha }) {
      lines += table().text().split(separator: "\n").map { StyledText(String($0)) }
      lines.append("")
    }
    lines += summary(done)
    return lines.flatMap { $0.wrapped(to: width) }.map { $0.rendered(style) }
      + effectLines(width: width, style: style)
  }

  /// What the LoRAs of a step are, and what is noticed about them.
  private func loraLines(_ step: String) -> [StyledText] {
    guard let plan = recipe.loraSources[step]?.plan else { return [] }
    var lines: [StyledText] = []
    for index in plan.request.loras.indices {
      lines += plan.summary(of: index, listing: listsAll)
    }
    lines += plan.findings.map { "\($0.severity.rawValue, .caution) \($0.description)" }
    return lines
  }

  /// What LoRAs changed, block by block.
  private func effectLines(width: Int, style: Style) -> [String] {
    recipe.recipe.steps.flatMap { step -> [String] in
      guard let source = recipe.loraSources[step.name] else { return [] }
      let effects = source.tensorEffects()
      guard !effects.isEmpty else { return [] }
      let title: StyledText = "\(step.name, .strong)"
      return ["", title.rendered(style)]
        + source.plan.blockTable(effects, width: width, style: style)
    }
  }

  private func summary(_ done: (seconds: Double, source: MergedSource)?) -> [StyledText] {
    var lines: [StyledText] = []
    lines.append("merged   \(Written.count(merged, "tensor"))")
    for input in plan.inputs.indices where copied(from: input) > 0 {
      lines.append("copied   \(Written.count(copied(from: input), "tensor")) of \(name(of: input))")
    }
    if plan.tensors.contains(where: { $0.purpose == .positions }) {
      lines.append("set      token positions to 0 … 76")
    }
    for cast in casts {
      lines.append(
        "stored   \(Written.count(cast.count, "tensor")) as \(cast.to.name) that had been \(cast.from.name)"
      )
    }
    let renamed = renamed
    if !renamed.isEmpty { lines.append("renamed  \(Written.count(renamed.count, "tensor"))") }
    if listsAll {
      lines += renamed.map { "  \($0.original, .name) → \($0.name, .name)" }
    }
    lines += list(
      "only in some inputs",
      partial.map { tensor in
        "\(tensor.info.name) (\(tensor.holders.map { name(of: $0) }.joined(separator: ", ")))"
      })
    lines += list(
      "unknown, copied", unknown.map { "\($0.info.name)" })
    lines += list(
      "dropped",
      plan.dropped.map { "\($0.name) of \(name(of: $0.input)): \($0.reason.rawValue)" })
    if let done {
      for (tensor, remarks) in done.source.values() {
        if remarks.clampedCount > 0 {
          lines.append(
            "\("clamped", .caution)  \(Written.count(remarks.clampedCount, "value")) of \(tensor.name)"
          )
        }
        if remarks.nonFiniteCount > 0 {
          lines.append(
            "\("not finite", .caution)  \(Written.count(remarks.nonFiniteCount, "value")) of \(tensor.name)"
          )
        }
      }
      let bytes = plan.bytesToWrite
      let speed = Written.fileSize(Int(Double(bytes) / max(done.seconds, 1e-3)))
      lines.append(
        "\("wrote", .good)    \(output ?? "", .name), \(Written.fileSize(bytes)) in \(Written.duration(seconds: done.seconds)), \(speed)/s"
      )
    } else {
      lines.append(
        "reads    \(Written.fileSize(bytesToRead)), writes \(Written.fileSize(plan.bytesToWrite)), needs \(Written.memorySize(plan.peakMemory(width: threads))) of memory at most"
      )
    }
    return lines
  }

  /// A count and the first few names.
  private func list(_ title: String, _ names: [String]) -> [StyledText] {
    guard !names.isEmpty else { return [] }
    var lines: [StyledText] = ["\(title, .note)  \(Written.count(names.count, "tensor"))"]
    let limit = listsAll ? names.count : Self.limit
    for name in names.prefix(limit) { lines.append("  \(name)") }
    if names.count > limit {
      lines.append("  … and \(Written.count(names.count - limit)) more; --list shows all")
    }
    return lines
  }

  /// Whether the last step merges LoRAs, which have no weights of places.
  private var isLoRA: Bool { recipe.loraSources[recipe.recipe.result] != nil }

  /// What is read from files; results of steps are computed.
  private var bytesToRead: Int {
    recipe.steps.reduce(0) { total, step in
      step.plan.inputs.indices.reduce(total) {
        step.plan.inputs[$1].source is MergedSource ? $0 : $0 &+ step.plan.bytesToRead(from: $1)
      }
    }
  }

  // MARK: For programs

  /// The report as JSON.
  func json(done: (seconds: Double, source: MergedSource)?) -> JSONValue {
    var object: JSONObject = [
      "schema": "sdtool-merge/1",
      "recipe": recipe.recipe.json,
      "tensors": .integer(plan.tensors.count), "merged": .integer(merged),
    ]
    if !isLoRA { object["weights"] = table().json }
    let styled = recipe.recipe.steps.compactMap { step in
      recipe.loraSources[step.name].map { (step.name, $0) }
    }
    if !styled.isEmpty {
      object["lora_steps"] = .array(
        styled.map { name, source in
          let whole = BlockSummary.whole(source.tensorEffects())
          return [
            "step": .string(name), "changed_tensors": .integer(source.plan.changedCount),
            "loras": .array(
              source.plan.request.loras.indices.map { source.plan.jsonValue(of: $0) }),
            "ratio": done == nil ? .null : .double(whole.ratio),
            "kept": done == nil ? .null : .double(whole.survivingShare),
            "findings": .array(source.plan.findings.map(\.jsonValue)),
          ]
        })
    }
    var copies = JSONObject()
    for input in plan.inputs.indices { copies[name(of: input)] = .integer(copied(from: input)) }
    object["copied"] = .object(copies)
    object["renamed"] = .array(
      renamed.map {
        [
          "name": .string($0.name.string), "original_name": .string($0.original.string),
          "in": .string(name(of: $0.input)),
        ]
      })
    object["unknown_copied"] = .array(unknown.map { .string($0.info.name.string) })
    object["casts"] = .array(
      casts.map {
        [
          "from": .string($0.from.name), "to": .string($0.to.name), "tensors": .integer($0.count),
        ]
      })
    object["only_in_some"] = .array(
      partial.map { tensor in
        [
          "name": .string(tensor.info.name.string),
          "in": .array(tensor.holders.map { .string(name(of: $0)) }),
        ]
      })
    object["dropped"] = .array(
      plan.dropped.map {
        [
          "name": .string($0.name.string), "from": .string(name(of: $0.input)),
          "reason": .string($0.reason.rawValue),
        ]
      })
    object["bytes_to_read"] = .integer(bytesToRead)
    object["bytes_to_write"] = .integer(plan.bytesToWrite)
    object["peak_memory"] = .integer(plan.peakMemory(width: threads))
    object["problems"] = .array(recipe.problems.map(\.jsonValue))
    if let done {
      object["output"] = .string(output ?? "")
      object["seconds"] = .double(done.seconds)
      object["remarks"] = .array(
        done.source.values().map {
          [
            "name": .string($0.tensor.name.string), "clamped": .integer($0.remarks.clampedCount),
            "not_finite": .integer($0.remarks.nonFiniteCount),
          ]
        })
    }
    return .object(object)
  }
}
