import Drawing
package import Inspection

extension Document {
  /// The report as GitHub-flavoured Markdown, without pictures and long tables.
  package var markdown: String {
    var text = "# \(markdownEscaped(title))\n\n\(markdownEscaped(subtitle))\n"
    if !highlights.isEmpty {
      text += "\n|"
      for highlight in highlights { text += " \(markdownEscaped(highlight.name)) |" }
      text += "\n|" + String(repeating: " --- |", count: highlights.count) + "\n|"
      for highlight in highlights { text += " \(markdownEscaped(highlight.value)) |" }
      text += "\n"
    }
    for section in sections {
      let blocks = section.blocks.compactMap(\.markdown)
      guard !blocks.isEmpty else { continue }
      text += "\n## \(markdownEscaped(section.title))\n\n" + blocks.joined(separator: "\n")
    }
    return text
  }

  /// The report for a terminal, without pictures and long tables.
  package func lines(width: Int, style: Style) -> [String] {
    var lines = StyledText(title, .strong).wrapped(to: width).map { $0.rendered(style) }
    lines += StyledText(subtitle, .faint).wrapped(to: width).map { $0.rendered(style) }
    var facts = StyledText()
    for highlight in highlights {
      if facts.columns > 0 { facts += "\(" · ", .faint)" }
      facts += "\(highlight.name, .faint) \(highlight.value)"
    }
    if facts.columns > 0 { lines += facts.wrapped(to: width).map { $0.rendered(style) } }
    for section in sections {
      let own = section.blocks.flatMap { $0.lines(width: width - 2, style: style) }
      guard !own.isEmpty else { continue }
      lines += ["", style.paint(section.title.sanitized, .strong)]
      lines += own.map { $0.isEmpty ? "" : "  " + $0 }
    }
    return lines
  }
}

extension Document.Block {
  /// The block as Markdown, with a line break at its end; `nil` where there is nothing to show.
  fileprivate var markdown: String? {
    switch self {
    case .text(let words): return markdownEscaped(words) + "\n"
    case .heading, .picture: return nil
    case .pairs(let pairs):
      guard !pairs.isEmpty else { return nil }
      return pairs.map {
        "- \(markdownEscaped($0.name)): \(markdownCode($0.value))\n"
      }.joined()
    case .table(let table):
      guard !table.isLong, !table.rows.isEmpty else { return nil }
      var text = "|" + table.columns.map { " \(markdownEscaped($0.title)) |" }.joined() + "\n|"
      text += table.columns.map { $0.isNumeric ? " ---: |" : " --- |" }.joined() + "\n"
      for row in table.rows {
        text += "|"
        for (index, cell) in row.enumerated() {
          let isCode = table.columns.indices.contains(index) && table.columns[index].isCode
          text +=
            " "
            + (isCode && !cell.text.isEmpty ? markdownCode(cell.text) : markdownEscaped(cell.text))
            + " |"
        }
        text += "\n"
      }
      return text
    }
  }

  /// The block for a terminal.
  fileprivate func lines(width: Int, style: Style) -> [String] {
    switch self {
    case .text(let words):
      return StyledText(words).wrapped(to: min(width, 90)).map { $0.rendered(style) }
    case .heading, .picture: return []
    case .pairs(let pairs):
      var table = TextTable([.init(), .init("", shrinks: true)])
      // Values are wrapped, as sentences are: what is cut in the middle says nothing.
      let room = width - 2 - (pairs.map { $0.name.sanitized.columns }.max() ?? 0)
      for pair in pairs {
        let parts = StyledText(pair.value).wrapped(to: max(20, room))
        for (index, part) in (parts.isEmpty ? [StyledText()] : parts).enumerated() {
          table.append(["\(index == 0 ? pair.name : "", .faint)", part])
        }
      }
      return table.lines(width: width, style: style)
    case .table(let content):
      guard !content.isLong, !content.rows.isEmpty else { return [] }
      var table = TextTable(
        content.columns.enumerated().map { index, column in
          // The last column of words takes what room there is.
          .init(
            column.title, column.isNumeric ? .right : .left,
            shrinks: column.isCode || (index > 1 && !column.isNumeric && !column.isProse))
        })
      // Sentences are wrapped: what is cut in the middle says nothing.
      let prose = content.columns.indices.filter { content.columns[$0].isProse }
      let room = max(20, (width - content.widthWithoutProse) / max(1, prose.count) - 2)
      for row in content.rows {
        let cells = row.map { cell in
          let ink: Ink =
            switch cell.token {
            case .bad: .bad
            case .warning: .caution
            case .note: .note
            case .good: .good
            default: .plain
            }
          return StyledText(cell.text, ink)
        }
        let parts = cells.indices.map { index in
          prose.contains(index) ? cells[index].wrapped(to: room) : [cells[index]]
        }
        for line in 0..<max(1, parts.map(\.count).max() ?? 1) {
          table.append(parts.map { $0.indices.contains(line) ? $0[line] : StyledText() })
        }
      }
      return table.lines(width: width, style: style)
    }
  }
}

extension Document.Table {
  /// The columns of a terminal that all but the sentences need.
  ///
  /// Long names count as little: they may be shortened, since their ends tell them apart.
  fileprivate var widthWithoutProse: Int {
    columns.indices.filter { !columns[$0].isProse }.reduce(0) { sum, index in
      let cells = rows.compactMap { row in
        row.indices.contains(index) ? row[index].text.sanitized.columns : nil
      }
      return sum + 2
        + min(
          columns[index].isCode ? 24 : .max, max(columns[index].title.columns, cells.max() ?? 0))
    }
  }
}
