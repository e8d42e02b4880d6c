package import Inspection
import StableDiffusion
import Tensors

extension ModelDifference {
  /// The difference for a terminal.
  ///
  /// - Parameters:
  ///   - top: how many tensors are listed.
  ///   - width: the columns to use.
  ///   - style: colours, or none.
  /// - Returns: the lines, without line breaks.
  package func lines(top: Int, width: Int, style: Style) -> [String] {
    DifferenceTables(self).lines(top: top, width: width, style: style)
  }

  /// The difference as GitHub-flavoured Markdown.
  public func markdown(top: Int) -> String { DifferenceTables(self).markdown(top: top) }
}

extension ThreeWayDifference {
  /// The differences for a terminal, side by side.
  package func lines(top: Int, width: Int, style: Style) -> [String] {
    DifferenceTables(self).lines(top: top, width: width, style: style)
  }

  /// The differences as GitHub-flavoured Markdown.
  public func markdown(top: Int) -> String { DifferenceTables(self).markdown(top: top) }
}

extension DifferenceTables {
  private var letters: [String] { changes == nil ? ["B"] : ["B", "C"] }

  private var models: [(letter: String, model: ComparedModel)] {
    guard let first = differences.first else { return [] }
    return [("A", first.a)] + zip(letters, differences.map(\.b)).map { ($0, $1) }
  }

  func lines(top: Int, width: Int, style: Style) -> [String] {
    var lines = models.map { letter, model in
      let line: StyledText = "\(letter, .strong)  \(model.path, .name)  \(model.title, .faint)"
      return line.rendered(style)
    }
    lines.append("")
    for (letter, difference) in zip(letters, differences) {
      let ink: Ink = difference.isIdentical ? .good : .plain
      let prefix = changes == nil ? "" : "\(letter) against A: "
      let line: StyledText = "\(prefix, .strong)\(verdict(of: difference), ink)"
      lines += line.wrapped(to: width).map { $0.rendered(style) }
    }
    if let changes, let cosine = changes.total.cosine {
      let line: StyledText =
        "The changes of B and C have the cosine \(Written.cosine(cosine), .strong)."
      lines.append(line.rendered(style))
    }
    for (letter, difference) in zip(letters, differences) {
      for remark in remarks(of: difference, limit: 3) {
        let prefix = changes == nil ? "" : letter + ": "
        let title: StyledText = "\(prefix + remark.title, .note)"
        lines.append(title.rendered(style))
        lines += remark.names.map { "  " + StyledText($0).truncated(to: width - 2).plain }
      }
    }
    guard differences.contains(where: { !$0.isIdentical }) else { return lines }
    for table in tables(top: top) {
      lines += ["", style.paint(table.title, .strong)]
      let whole = textTable(table).lines(width: .max, style: .plain)
      let fits = whole.allSatisfy { $0.columns <= width }
      lines += textTable(table, hasBars: fits).lines(width: width, style: style)
    }
    return lines
  }

  /// A table for a terminal.
  ///
  /// - Parameters:
  ///   - table: what is in it.
  ///   - hasBars: whether a list of tensors has bars, which are not worth the room of the names.
  /// - Returns: the table.
  private func textTable(_ table: Table, hasBars: Bool = true) -> TextTable {
    let isTensors = table.rows.contains { $0.changed == nil }
    let hasBars = hasBars || !isTensors
    var columns: [TextTable.Column] = [.init(table.subject, shrinks: isTensors)]
    columns.append(isTensors ? .init("place") : .init("differ", .right))
    for letter in letters {
      let suffix = changes == nil ? "" : " " + letter
      columns.append(.init("rel. L2" + suffix, .right))
      if hasBars { columns.append(.init()) }
      if changes == nil {
        columns += [
          .init("cosine", .right), .init("max |Δ|", .right), .init("signs", .right),
          .init("mean ulp", .right),
        ]
      }
    }
    if changes != nil { columns.append(.init("cos(ΔB, ΔC)", .right)) }
    var text = TextTable(columns)
    let greatest = table.rows.flatMap(\.measures).compactMap { $0?.relativeL2 }.max() ?? 0
    for row in table.rows {
      var cells: [StyledText] = ["\(row.name, isTensors ? .name : .plain)"]
      if let changed = row.changed {
        cells.append("\(changed.count)/\(changed.of)")
      } else {
        cells.append("\(row.place)")
      }
      for measures in row.measures {
        let distance = measures?.relativeL2
        let share = greatest > 0 ? (distance ?? 0) / greatest : 0
        let ink: Ink = share > 2.0 / 3 ? .bad : share > 1.0 / 3 ? .caution : .good
        cells.append("\(Written.measure(distance))")
        if hasBars {
          cells.append("\(Written.bar(share, width: changes == nil ? 12 : 10), ink)")
        }
        if changes == nil {
          cells += [
            "\(Written.cosine(measures?.cosine))",
            "\(Written.measure(measures?.greatest))",
            "\(measures.flatMap { $0.finiteCount > 0 ? Written.count($0.signFlipCount) : nil } ?? "–")",
            "\(Written.measure(measures?.meanULP))",
          ]
        }
      }
      if changes != nil { cells.append("\(Written.cosine(row.changeCosine))") }
      text.append(cells)
    }
    return text
  }

  func markdown(top: Int) -> String {
    var text = "## Model difference\n\n"
    for (letter, model) in models {
      text += "- **\(letter)** \(markdownCode(model.path)) \(markdownEscaped(model.title))\n"
    }
    text += "\n"
    for (letter, difference) in zip(letters, differences) {
      let prefix = changes == nil ? "" : "\(letter) against A: "
      text += markdownEscaped(prefix + verdict(of: difference)) + "\n\n"
      for remark in remarks(of: difference, limit: 3) {
        text += "- \(markdownEscaped(remark.title))\n"
        for name in remark.names { text += "  - \(markdownEscaped(name))\n" }
      }
    }
    if let cosine = changes?.total.cosine {
      text += "\nCosine of both changes: \(Written.cosine(cosine))\n"
    }
    guard differences.contains(where: { !$0.isIdentical }) else { return text }
    for table in tables(top: top) {
      let isTensors = table.rows.contains { $0.changed == nil }
      var heading = [table.subject, isTensors ? "place" : "differ"]
      for letter in letters {
        let suffix = changes == nil ? "" : " " + letter
        heading += ["rel. L2", "cosine", "max abs"].map { $0 + suffix }
      }
      if changes != nil { heading.append("cosine of changes") }
      text += "\n### \(table.title)\n\n| \(heading.joined(separator: " | ")) |\n"
      let rules = heading.indices.map { $0 == 0 || $0 == 1 && isTensors ? "---" : "---:" }
      text += "| " + rules.joined(separator: " | ") + " |\n"
      for row in table.rows {
        var cells = [isTensors ? markdownCode(row.name) : markdownEscaped(row.name)]
        cells.append(row.changed.map { "\($0.count)/\($0.of)" } ?? row.place)
        for measures in row.measures {
          cells += [
            Written.measure(measures?.relativeL2), Written.cosine(measures?.cosine),
            Written.measure(measures?.greatest),
          ]
        }
        if changes != nil { cells.append(Written.cosine(row.changeCosine)) }
        text += "| \(cells.joined(separator: " | ")) |\n"
      }
    }
    return text
  }
}
