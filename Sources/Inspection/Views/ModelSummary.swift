import StableDiffusion
import Tensors

extension InspectedModel {
  /// What the model is, for a terminal: identity, components, places, what else was noticed.
  package func summaryLines(width: Int, style: Style) -> [String] {
    var lines = heading(width: width, style: style)
    func add(_ title: String, _ section: [String]) {
      guard !section.isEmpty else { return }
      lines += ["", style.paint(title, .strong)] + section.map { "  " + $0 }
    }
    let inner = width - 2
    add("Components", componentTable.lines(width: inner, style: style))
    add("Merge places", placeTable.lines(width: inner, style: style))
    add("Layers", layerLines(width: inner, style: style))
    add("Also in the file", extraLines(width: inner, style: style))
    add("Noticed", noticedLines(width: inner, style: style))
    return lines
  }

  private func heading(width: Int, style: Style) -> [String] {
    let size = Written.fileSize(fileByteCount)
    var facts: [StyledText] = ["\(identity.title, .strong)"]
    if let state { facts.append(state) }
    facts += [
      "\(source.container.title)", "\(size)",
      "\(Written.count(source.tensors.count, "tensor"))",
    ]
    if source.files.count > 1 { facts.append("\(Written.count(source.files.count, "file"))") }
    let line = facts.dropFirst().reduce(facts[0]) { $0 + "\(" · ", .faint)" + $1 }
    let reason: StyledText = "\("because \(identity.reason)", .faint)"
    return
      ([StyledText(source.path, .name)] + line.wrapped(to: width)
      + reason.wrapped(to: width)).map { $0.rendered(style) }
  }

  /// Whether it is whole, in a word; `nil` for kinds whose structure is not known.
  private var state: StyledText? {
    guard identity.kind == .stableDiffusion1 else { return nil }
    if identity.hasAveragesOnly { return "\("averages only", .bad)" }
    if identity.components.contains(where: { !$0.isComplete }) { return "\("incomplete", .bad)" }
    return identity.isComplete ? "\("complete", .good)" : "\(partName, .note)"
  }

  private var partName: String {
    identity.components.map(\.component.title).joined(separator: " and ") + " only"
  }

  /// What it has of each component; for kinds that are not mapped, of each element type.
  package var componentTable: TextTable {
    var table = TextTable([
      .init("component"), .init("tensors", .right), .init("values", .right), .init("size", .right),
      .init("precision"), .init("state"),
    ])
    guard identity.kind == .stableDiffusion1 else {
      table = TextTable([
        .init("type"), .init("tensors", .right), .init("values", .right), .init("size", .right),
      ])
      for row in typeRows { table.append(row) }
      return table
    }
    for summary in identity.components {
      let state: StyledText =
        summary.isComplete
        ? "\("complete", .good)" : "\("\(Written.count(summary.missing.count)) missing", .bad)"
      table.append([
        "\(summary.component.title)", "\(Written.count(summary.presentCount))",
        "\(Written.count(summary.elementCount))", "\(Written.fileSize(summary.byteCount))",
        "\(Self.precision(of: summary.types))", state,
      ])
    }
    for component in Component.allCases where identity[component] == nil {
      table.append([
        "\(component.title, .faint)", "–", "–", "–", "–", "\("not in the file", .faint)",
      ])
    }
    table.appendRule()
    table.append([
      "all tensors", "\(Written.count(source.tensors.count))",
      "\(Written.count(source.tensors.reduce(0) { $0 &+ $1.elementCount }))",
      "\(Written.fileSize(tensorByteCount))",
    ])
    return table
  }

  /// One row for each element type, most bytes first.
  private var typeRows: [[StyledText]] {
    var counts: [DType: (tensors: Int, elements: Int, bytes: Int)] = [:]
    for tensor in source.tensors {
      var count = counts[tensor.dtype] ?? (0, 0, 0)
      count.tensors += 1
      count.elements &+= tensor.elementCount
      count.bytes &+= tensor.byteCount
      counts[tensor.dtype] = count
    }
    return counts.sorted { ($1.value.bytes, $0.key) < ($0.value.bytes, $1.key) }.map {
      [
        "\($0.key.name)", "\(Written.count($0.value.tensors))",
        "\(Written.count($0.value.elements))", "\(Written.fileSize($0.value.bytes))",
      ]
    }
  }

  private static func precision(of types: [TypeCount]) -> String {
    types.count == 1
      ? types[0].dtype.name
      : types.map { "\($0.dtype.name) ×\($0.tensorCount)" }.joined(separator: ", ")
  }

  private var placeTable: TextTable {
    var table = TextTable([
      .init("place"), .init("tensors", .right), .init("values", .right), .init("size", .right),
      .init("share", .right), .init(""),
    ])
    let places = self.places
    let total = places.reduce(0) { $0 &+ $1.elementCount }
    for summary in places {
      let share = total > 0 ? Double(summary.elementCount) / Double(total) : 0
      let bar = String(repeating: "█", count: Int((share * 120).rounded()))
      table.append([
        "\(summary.place)", "\(Written.count(summary.tensorCount))",
        "\(Written.count(summary.elementCount))", "\(Written.fileSize(summary.byteCount))",
        "\(Written.percentage(summary.elementCount, of: total))", "\(bar, .note)",
      ])
    }
    return places.isEmpty ? TextTable([]) : table
  }

  private func layerLines(width: Int, style: Style) -> [String] {
    guard identity.kind == .stableDiffusion1, !identity.components.isEmpty else { return [] }
    func list(_ layers: [LayerCensus]) -> String {
      layers.map { "\(Written.count($0.count)) \($0.operation)" }.joined(separator: ", ")
    }
    let statistics = identity.runningStatistics
    let absent: StyledText =
      statistics.isEmpty
      ? "\("no BatchNorm and no InstanceNorm: no tensor holds running statistics", .faint)"
      : "\("running statistics of BatchNorm or InstanceNorm: \(statistics.count) tensors", .bad)"
    let norms = LayerCensus.norms(of: identity)
    let lines: [StyledText] = [
      "\(list(LayerCensus.others(of: identity)))", "\(list(norms))", absent,
    ]
    return lines.flatMap { $0.wrapped(to: width) }.map { $0.rendered(style) }
  }

  private func extraLines(width: Int, style: Style) -> [String] {
    var table = TextTable([.init(), .init("", .right), .init("", shrinks: true)])
    if identity.averageCount > 0 {
      table.append([
        "moving averages (EMA)", "\(Written.count(identity.averageCount, "tensor"))",
        "\("model_ema.*, pruned without loss for pictures", .faint)",
      ])
    }
    for (extra, tensors) in identity.extras {
      table.append([
        "\(extra.title)", "\(Written.count(tensors.count, "tensor"))",
        "\(source.tensors[tensors[0]].name, .faint)",
      ])
    }
    if !identity.unexpected.isEmpty {
      table.append([
        "\("unknown", .caution)", "\(Written.count(identity.unexpected.count, "tensor"))",
        "\(source.tensors[identity.unexpected[0]].name, .faint)",
      ])
    }
    if !source.metadata.isEmpty {
      table.append([
        "metadata", "\(Written.count(source.metadata.count, "entry", "entries"))",
        "\(source.metadata.map(\.key).joined(separator: ", "), .faint)",
      ])
    }
    return table.lines(width: width, style: style)
  }

  private func noticedLines(width: Int, style: Style) -> [String] {
    (source.findings + identity.check()).prefix(12).flatMap { fault in
      let text: StyledText =
        "\(fault.severity.rawValue, fault.severity.ink) \(fault.sentence) \(fault.rule.id, .faint)"
      return text.wrapped(to: width).map { $0.rendered(style) }
    }
  }
}
