import Inspection
import JSON
import LoRA
import StableDiffusion
import Tensors

/// What a LoRA is, for people and for programs.
struct LoRASummary {
  private let file: LoRAFile
  private let census: LoRACensus
  private let texts: TrainingTexts
  private let effective: EffectiveRank?

  /// The summary of `file`; values are read only `withValues`.
  init(_ file: LoRAFile, withValues: Bool, threads: Int) throws(Fault) {
    self.file = file
    census = LoRACensus(file)
    texts = TrainingTexts(file)
    effective = withValues ? try EffectiveRank(file, width: threads) : nil
  }

  private func count(_ word: String) -> Int { file.ledger.count { $0.word == word } }

  /// Its sections for a terminal.
  func lines(width: Int, style: Style) -> [String] {
    var lines: [String] = []
    func add(_ title: String, _ rows: [(StyledText, StyledText)]) {
      guard !rows.isEmpty else { return }
      var table = TextTable([.init(), .init("", shrinks: true)])
      table.indent = 2
      for row in rows { table.append([row.0, row.1]) }
      lines += ["", style.paint(title, .strong)] + table.lines(width: width, style: style)
    }
    add("LoRA", facts)
    lines +=
      ["", style.paint("Modules by block", .strong)] + blockLines(width: width, style: style)
    add("Training", texts.settings.map { ("\($0.title)", "\($0.value)") })
    if !texts.tags.isEmpty {
      lines += ["", style.paint("Most frequent tags", .strong)]
      let words = texts.tags.map { "\($0.text)\u{A0}(\(Written.count($0.count)))" }
      let more = texts.tagCount > texts.tags.count ? " of \(Written.count(texts.tagCount))" : ""
      lines += StyledText(words.joined(separator: ", ") + more).wrapped(to: max(20, width - 2))
        .map { "  " + $0.rendered(style) }
    }
    if !file.findings.isEmpty {
      lines += ["", style.paint("Noticed", .strong)]
      for finding in file.findings {
        let text: StyledText =
          "\(finding.severity.rawValue, finding.severity.ink) \(finding.sentence) \("[\(finding.rule.id)]", .faint)"
        lines += text.wrapped(to: max(20, width - 2)).map { "  " + $0.rendered(style) }
      }
    }
    return lines
  }

  private var facts: [(StyledText, StyledText)] {
    let kinds = census.kinds.map { "\($0.kind.rawValue) ×\($0.count)" }.joined(separator: ", ")
    var rows: [(StyledText, StyledText)] = [
      (
        "type",
        "\(kinds)\(census.decomposedCount > 0 ? ", weight-decomposed (DoRA) ×\(census.decomposedCount)" : "")"
      ),
      ("spelling", "\(file.spelling.title)"),
      ("U-Net", "\(unet)"),
      (
        "text encoder",
        "\(census.textEncoderCount == 0 ? "none" : "\(census.textEncoderCount) of \(LoRACensus.usualTextEncoder) modules")"
      ),
    ]
    if !census.ranks.isEmpty {
      rows.append(("rank", "\(Self.listed(census.ranks.map { ("\($0.rank)", $0.count) }))"))
      let scales = census.scales.map { (Self.short($0.scale), $0.count) }
      rows.append(("α / rank", "\(Self.listed(scales))"))
    }
    if let effective {
      rows.append(
        (
          "effective rank",
          "\(Written.decimal(effective.mean, digits: 1)) of \(Written.decimal(effective.givenMean, digits: 1)) on average, \(effective.maximum) at most, for 99% of the change"
        ))
    }
    let words = ["applied", "preserved", "ignored", "unmatched"].filter { count($0) > 0 }
    rows.append(
      ("tensors", "\(words.map { "\(Written.count(count($0))) \($0)" }.joined(separator: ", "))"))
    return rows
  }

  /// A number with at most four decimals.
  private static func short(_ value: Double) -> String {
    let rounded = (value * 1e4).rounded() / 1e4
    return rounded == 0 || rounded == value ? "\(value)" : "\(rounded)"
  }

  private var unet: String {
    guard census.unetCount > 0 else { return "none" }
    let set = census.unetSet.map { ": \($0)" } ?? ""
    let usual =
      census.unetCount <= LoRACensus.usualUNet ? LoRACensus.usualUNet : LoRACensus.full
    return "\(census.unetCount) of \(usual) modules\(set)"
  }

  /// The commonest values with their counts: `32 ×192, 4 ×72`.
  private static func listed(_ values: [(String, Int)]) -> String {
    guard values.count > 1 else { return values.first?.0 ?? "–" }
    let shown = values.prefix(6).map { "\($0.0) ×\($0.1)" }.joined(separator: ", ")
    return values.count > 6 ? shown + " and \(values.count - 6) more" : shown
  }

  private func blockLines(width: Int, style: Style) -> [String] {
    let parts = census.places.sorted { $0.key < $1.key }.map { place, count -> StyledText in
      "\(LoRABlocks.name(place), .name)\u{A0}\(count)"
    }
    guard let first = parts.first else { return ["  none"] }
    return parts.dropFirst().reduce(first) { $0 + "  " + $1 }.wrapped(to: max(20, width - 2))
      .map { "  " + $0.rendered(style) }
  }

  /// The same for programs.
  var json: JSONValue {
    var object: JSONObject = [
      "spelling": .string(file.spelling.title),
      "types": .object(
        JSONObject(census.kinds.map { ($0.kind.rawValue, .integer($0.count)) })),
      "weight_decomposed": .integer(census.decomposedCount),
      "unet_modules": .integer(census.unetCount),
      "text_encoder_modules": .integer(census.textEncoderCount),
      "blocks": .object(
        JSONObject(
          census.places.sorted { $0.key < $1.key }.map {
            (LoRABlocks.name($0.key), .integer($0.value))
          })),
      "ranks": .array(
        census.ranks.map { ["rank": .integer($0.rank), "modules": .integer($0.count)] }),
      "scales": .array(
        census.scales.map { ["scale": .double($0.scale), "modules": .integer($0.count)] }),
      "tags": .array(
        texts.tags.map { ["tag": .string($0.text), "count": .integer($0.count)] }),
    ]
    for word in ["applied", "preserved", "ignored", "unmatched"] {
      object[word] = .integer(count(word))
    }
    if let effective {
      object["effective_rank"] = [
        "mean": .double(effective.mean), "maximum": .integer(effective.maximum),
        "given_mean": .double(effective.givenMean),
      ]
    }
    object["findings"] = .array(file.findings.map(\.jsonValue))
    return .object(object)
  }
}
