package import Inspection
public import JSON
import Merge
import StableDiffusion
import Tensors

extension FitQuality {
  /// A few words for a table.
  var title: String {
    switch self {
    case .equalsA: "the bytes of A"
    case .equalsB: "the bytes of B"
    case .exact: "fits"
    case .close: "fits roughly"
    case .poor: "does not fit"
    case .undetermined: "the inputs are the same"
    }
  }

  var ink: Ink {
    switch self {
    case .equalsA, .equalsB, .exact: .good
    case .close: .caution
    case .poor: .bad
    case .undetermined: .faint
    }
  }
}

extension MergeExplanation {
  /// The result in one sentence.
  var verdict: String {
    let poor = Place.allCases.filter { places[$0]?.quality == .poor }
    let weights = recovered
    let shape: String
    if weights.isGlobal, let alpha = weights.specification.alpha {
      shape = "one weight everywhere, \(spelled(alpha))"
    } else {
      shape =
        "block weights" + (weights.preset.map { " as in the preset \($0)" } ?? "")
        + " (dialect \(weights.dialect.name))"
    }
    let left = unexplained.map { $0.reason.words($0.count) }.joined(separator: ", ")
    let also = left.isEmpty ? "" : "; left out: \(left)"
    if poor.count == places.count { return "not explained by \(formula.text)" + also }
    let sentence = "explained by \(formula.text) with \(shape)"
    if poor.isEmpty { return left.isEmpty ? sentence : "\(sentence), but not \(left)" }
    return
      "\(sentence), but not at \(poor.map(\.description).joined(separator: ", "))\(also)"
  }

  /// The explanation for a terminal.
  package func lines(top: Int, width: Int, style: Style) -> [String] {
    var lines: [String] = []
    func add(_ line: StyledText) { lines.append(line.rendered(style)) }
    add("\("RESULT", .strong)  \(result.path, .name)  \(result.title, .faint)")
    for (letter, model) in zip(["A", "B", "C"], inputs) {
      add("\(letter, .strong)       \(model.path, .name)  \(model.title, .faint)")
    }
    lines.append("")
    let ink: Ink = fits ? .good : .bad
    lines += StyledText(verdict, ink).wrapped(to: width).map { $0.rendered(style) }
    lines.append("")
    var table = TextTable([
      .init("place"), .init("w", .right), .init(), .init("±", .right),
      .init("residual/rounding", .right), .init("", .left),
    ])
    for place in Place.allCases {
      guard let part = places[place] else { continue }
      let weight = part.fit.weight
      table.append([
        "\(place)", "\(weight.map { Written.decimal($0, digits: 5) } ?? "–")",
        "\(Written.bar(weight ?? 0, width: 12), .note)",
        "\(Written.measure(part.fit.uncertainty))",
        "\(Written.measure(part.fit.roundingRatio(at: nil)))",
        "\(part.quality.title, part.quality.ink)",
      ])
    }
    lines += table.lines(width: width, style: style)
    let outliers = self.outliers
    if !outliers.isEmpty, top > 0 {
      lines.append("")
      add(
        "\("Not explained by the weight of their place", .strong): \(Written.count(outliers.count, "tensor"))"
      )
      var table = TextTable([
        .init("tensor", shrinks: true), .init("place"), .init("own w", .right),
        .init("residual/rounding", .right),
      ])
      for tensor in outliers.prefix(top) {
        let weight = tensor.place.flatMap { places[$0]?.fit.weight } ?? 0
        table.append([
          "\(tensor.name, .name)", "\(tensor.place?.description ?? "")",
          "\(tensor.part.fit.weight.map { Written.decimal($0, digits: 5) } ?? "–")",
          "\(Written.measure(tensor.part.fit.roundingRatio(at: weight)))",
        ])
      }
      lines += table.lines(width: width, style: style)
    }
    for (index, reason) in Skipped.Reason.allCases.filter({ reason in
      skipped.contains { $0.reason == reason }
    }).enumerated() {
      let found = skipped.filter { $0.reason == reason }
      if index == 0 { lines.append("") }
      let ink: Ink = reason.isUnexplained ? .bad : .note
      let line: StyledText =
        "\(reason.words(found.count), ink): for example \(found[0].name, .name)"
      lines += line.wrapped(to: width).map { $0.rendered(style) }
    }
    return lines
  }

  /// The explanation for programs; `docs/json.md` describes every field.
  public func json(paths: [String]) -> JSONValue {
    let weights = recovered
    var object: JSONObject = [
      "result": result.json, "inputs": .array(inputs.map(\.json)),
      "formula": .string(formula.rawValue), "fits": .bool(fits),
      "verdict": .string(verdict), "global": .bool(weights.isGlobal),
      "dialect": .string(weights.dialect.name),
    ]
    object["alpha"] = number(weights.specification.alpha)
    if let blocks = weights.specification.blocks {
      object["mbw"] = .array(([blocks.base ?? 0] + blocks.blocks).map { .double($0) })
    }
    object["preset"] = weights.preset.map { .string($0) } ?? .null
    object["places"] = .array(
      Place.allCases.compactMap { place in
        places[place].map {
          .object(JSONObject([("place", .string(place.description))] + $0.members))
        }
      })
    object["outliers"] = .array(
      outliers.map { tensor in
        .object(
          JSONObject(
            [
              ("name", .string(tensor.name.string)),
              ("place", tensor.place.map { .string($0.description) } ?? .null),
            ] + tensor.part.members))
      })
    object["skipped"] = .array(skipped.map { .string($0.name.string) })
    object["unexplained"] = .object(
      JSONObject(unexplained.map { ($0.reason.rawValue, .integer($0.count)) }))
    object["recipe"] = recipe(paths: paths).json
    return .object(object)
  }

  /// The explanation as GitHub-flavoured Markdown.
  public func markdown() -> String {
    var text = "## Merge explanation\n\n\(markdownEscaped(verdict))\n\n"
    text += "| place | w | ± | residual / rounding | |\n| --- | ---: | ---: | ---: | --- |\n"
    for place in Place.allCases {
      guard let part = places[place] else { continue }
      let cells = [
        place.description, part.fit.weight.map { Written.decimal($0, digits: 5) } ?? "–",
        Written.measure(part.fit.uncertainty),
        Written.measure(part.fit.roundingRatio(at: nil)), part.quality.title,
      ]
      text += "| \(cells.joined(separator: " | ")) |\n"
    }
    return text
  }
}

extension MergeExplanation.Part {
  fileprivate var members: [(String, JSONValue)] {
    [
      ("weight", number(fit.weight)), ("uncertainty", number(fit.uncertainty)),
      ("quality", .string(quality.rawValue)),
      ("ratio", .double(fit.roundingRatio(at: nil))), ("tensors", .integer(tensorCount)),
      ("equal_to_a", .integer(equalToA)), ("equal_to_b", .integer(equalToB)),
      ("informative", .integer(informativeCount)), ("values", .integer(fit.count)),
    ]
  }
}
