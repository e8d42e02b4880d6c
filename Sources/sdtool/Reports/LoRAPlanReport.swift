import Inspection
import JSON
import LoRA
import StableDiffusion
import Tensors

// What LoRAs do to a model, whatever command merges them.
extension LoRAMergePlan {
  private static let ledgerWords = ["applied", "preserved", "ignored", "unmatched"]

  private func count(_ index: Int, _ word: String) -> Int {
    ledgers[index].count { $0.word == word }
  }

  /// What a LoRA is, how it counts, and what becomes of its tensors.
  func summary(of index: Int, listing: Bool) -> [StyledText] {
    let use = request.loras[index]
    let census = LoRACensus(use.file)
    let names = census.kinds.map(\.kind.rawValue) + (census.decomposedCount > 0 ? ["DoRA"] : [])
    let kinds = names.joined(separator: ", ")
    var lines: [StyledText] = [
      "\(use.file.path, .name): \(kinds.isEmpty ? "LoRA" : kinds), \(use.file.spelling.title); U-Net \(census.unetCount), text encoder \(census.textEncoderCount) of \(LoRACensus.usualTextEncoder) modules\(Self.ranks(census))"
    ]
    lines.append("  strength \(use.strength.title, .strong)")
    let counts = Self.ledgerWords.map { (word: $0, count: count(index, $0)) }.filter {
      $0.count > 0
    }
    lines.append(
      "  tensors: \(counts.map { "\(Written.count($0.count)) \($0.word)" }.joined(separator: ", "))"
    )
    if listing {
      for (tensor, entry) in ledgers[index].enumerated() {
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

  /// The weights of every block, and what happened there.
  func blockTable(_ effects: [TensorEffect], width: Int, style: Style) -> [String] {
    var columns: [TextTable.Column] = [.init("block")]
    for index in request.loras.indices {
      columns.append(
        .init(request.loras.count == 1 ? "modules" : "modules \(index + 1)", .right))
      columns.append(.init("strength", .right))
    }
    if !effects.isEmpty {
      columns += [.init("‖ΔW‖/‖W‖", .right), .init("kept", .right)]
    }
    var table = TextTable(columns)
    let summaries = BlockSummary.all(effects)
    for place in Place.allCases where place != .vae && place != .label {
      let counts = request.loras.map { use in
        use.file.modules.count { $0.target.place == place }
      }
      guard counts.contains(where: { $0 > 0 }) else { continue }
      var row: [StyledText] = ["\(LoRABlocks.name(place), .name)"]
      for (count, use) in zip(counts, request.loras) {
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
      let blanks = request.loras.flatMap { _ in [StyledText(), StyledText()] }
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

  /// A LoRA, with the use of each of its tensors.
  func jsonValue(of index: Int) -> JSONValue {
    let use = request.loras[index]
    let census = LoRACensus(use.file)
    var object: JSONObject = [
      "path": .string(use.file.path), "spelling": .string(use.file.spelling.title),
      "types": .array(census.kinds.map { .string($0.kind.rawValue) }),
      "unet_modules": .integer(census.unetCount),
      "text_encoder_modules": .integer(census.textEncoderCount),
      "unet_strength": .double(use.strength.unet),
      "text_encoder_strength": .double(use.strength.textEncoder),
    ]
    use.strength.addWeights(to: &object)
    for word in Self.ledgerWords { object[word] = .integer(count(index, word)) }
    object["ledger"] = .array(
      ledgers[index].enumerated().map { tensor, entry in
        var value: JSONObject = [
          "name": .string(use.file.source.tensors[tensor].name.string),
          "use": .string(entry.word),
        ]
        switch entry {
        case .applied(let module):
          let target = use.file.modules[module].target
          value["module"] = .string(target.path.diffusers)
          if let weight = target.weightTensor(in: identity) {
            value["weight"] = .string(base.tensors[weight].name.string)
          }
        case .preserved(let reason), .ignored(let reason), .unmatched(let reason):
          value["reason"] = .string(reason)
        }
        return .object(value)
      })
    return .object(object)
  }
}

extension LoRAStrength {
  /// Adds the weights of blocks and layers, if there are any.
  func addWeights(to object: inout JSONObject) {
    if let vector {
      object["lbw"] = .string(vector.text)
      var values = JSONObject()
      for place in LoRABlocks.all { values[LoRABlocks.name(place)] = .double(vector[place]) }
      object["block_weights"] = .object(values)
    }
    if !rules.isEmpty { object["lbwe"] = .array(rules.map { .string($0.text) }) }
  }

  /// Everything that was given, in words.
  var title: String {
    var text = "\(unet)"
    if textEncoder != unet { text = "\(unet) in the U-Net, \(textEncoder) in the text encoder" }
    if let vector {
      text += ", block weights \(vector.text)"
      if vector.rest != 0 { text += ", others \(vector.rest)" }
    }
    if !rules.isEmpty { text += ", layers \(rules.map(\.text).joined(separator: "; "))" }
    return text
  }
}
