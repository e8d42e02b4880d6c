/// A table for a terminal: columns aligned, fitted to a width, no blanks at the end of a line.
///
///     var table = TextTable([
///       .init("tensor", shrinks: true), .init("shape"), .init("values", .right),
///     ])
///     table.append(["\(name, .name)", "\(shape)", "\(Written.count(n))"])
///     table.lines(width: 80, style: .colored).forEach { print($0) }
package struct TextTable: Sendable {
  /// On which side a column is flush.
  package enum Alignment: Sendable { case left, right }

  /// How a column is set.
  package struct Column: Sendable {
    package var title: String
    package var alignment: Alignment
    /// Whether its texts may be shortened when the table is too wide: first by what all of them
    /// begin with, then in the middle.
    package var shrinks: Bool

    /// A column; a table whose titles are all empty has no header.
    package init(_ title: String = "", _ alignment: Alignment = .left, shrinks: Bool = false) {
      self.title = title
      self.alignment = alignment
      self.shrinks = shrinks
    }
  }

  /// How the columns are set.
  package let columns: [Column]
  /// Blanks before each line.
  package var indent = 0
  /// Blanks between columns.
  package var gap = 2
  /// The rows; `nil` for a line across the table.
  package private(set) var rows: [[StyledText]?] = []

  /// A table without rows.
  package init(_ columns: [Column]) { self.columns = columns }

  /// Adds a row; cells that are missing are empty.
  package mutating func append(_ cells: [StyledText]) { rows.append(cells) }

  /// Adds a line across the table, for example before a total.
  package mutating func appendRule() { rows.append(nil) }

  /// The fewest columns to which a text is shortened.
  private static let narrowest = 8

  /// The lines of the table, at most `width` columns wide.
  ///
  /// Only columns that may shrink do, the widest first, and not below eight columns; where that is
  /// not enough, lines are longer than `width`, since a number cut short is a wrong number.
  package func lines(width: Int = .max, style: Style = .plain) -> [String] {
    let hasHeader = columns.contains { !$0.title.isEmpty }
    let blanks = indent + gap * max(0, columns.count - 1)
    let room = max(0, width - blanks)
    var rows = rows
    var widths = Self.widths(of: rows, columns)
    if widths.reduce(0, +) > room {
      for index in columns.indices where columns[index].shrinks {
        Self.dropCommonStart(of: index, in: &rows)
      }
      widths = Self.widths(of: rows, columns)
    }
    fit(&widths, to: room)
    var lines: [String] = []
    if hasHeader {
      lines.append(line(columns.map { StyledText($0.title, .faint) }, widths, style))
    }
    for row in rows {
      if let row {
        lines.append(line(row, widths, style))
      } else {
        let length = widths.reduce(0, +) + blanks - indent
        lines.append(
          String(repeating: " ", count: indent)
            + style.paint(String(repeating: "─", count: length), .faint))
      }
    }
    return lines
  }

  private static func widths(of rows: [[StyledText]?], _ columns: [Column]) -> [Int] {
    var widths = columns.map(\.title.columns)
    for case let row? in rows {
      for (index, cell) in row.prefix(columns.count).enumerated() {
        widths[index] = max(widths[index], cell.columns)
      }
    }
    return widths
  }

  /// Replaces what all texts of a column begin with by `…`.
  private static func dropCommonStart(of column: Int, in rows: inout [[StyledText]?]) {
    let cells = rows.compactMap { row in
      row.flatMap { $0.indices.contains(column) ? $0[column].plain : nil }
    }
    let start = commonStart(of: cells)
    guard start.count > 1 else { return }
    for index in rows.indices where rows[index]?.indices.contains(column) == true {
      let text = rows[index]?[column] ?? StyledText()
      rows[index]?[column] = text.replacingStart(start.count, by: "…")
    }
  }

  /// Narrows the columns that may shrink until all fit: the wider ones to a common width.
  private func fit(_ widths: inout [Int], to width: Int) {
    var excess = widths.reduce(0, +) - width
    while excess > 0 {
      let flexible = widths.indices.filter { columns[$0].shrinks && widths[$0] > Self.narrowest }
      guard let widest = flexible.map({ widths[$0] }).max() else { return }
      let those = flexible.filter { widths[$0] == widest }
      let second = flexible.map { widths[$0] }.filter { $0 < widest }.max() ?? Self.narrowest
      let step = min(widest - second, max(1, excess / those.count))
      for index in those where excess > 0 {
        let cut = min(step, excess)
        widths[index] -= cut
        excess -= cut
      }
    }
  }

  private func line(_ cells: [StyledText], _ widths: [Int], _ style: Style) -> String {
    var line = String(repeating: " ", count: indent)
    var pending = 0
    for (index, column) in columns.enumerated() {
      let cell = index < cells.count ? cells[index].truncated(to: widths[index]) : StyledText()
      let columns = cell.columns
      let free = widths[index] - columns
      if column.alignment == .right, columns > 0 { pending += free }
      if columns > 0 {
        line += String(repeating: " ", count: pending) + cell.rendered(style)
        pending = 0
      }
      if column.alignment == .left || columns == 0 { pending += free }
      pending += gap
    }
    return line
  }
}
