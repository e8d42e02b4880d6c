package import Drawing
package import Inspection

/// What a report says, before it is written in any format.
///
/// One model of the content, one renderer for each format: ``html(version:)``, ``markdown``,
/// ``lines(width:style:)``. Text may hold anything; the renderers escape.
package struct Document: Sendable {
  /// The name of the report.
  package var title: String
  /// What it is about, in a line.
  package var subtitle: String
  /// The few numbers that come first.
  package var highlights: [Highlight] = []
  /// The parts.
  package var sections: [Section] = []

  /// A number with its name.
  package struct Highlight: Sendable {
    package var name: String
    package var value: String
    /// What it means, as a colour.
    package var token: Token?
  }

  /// A part with a heading.
  package struct Section: Sendable {
    /// What links to it name: letters, digits and hyphens.
    package var anchor: String
    package var title: String
    package var blocks: [Block]
  }

  /// A piece of a part.
  package enum Block: Sendable {
    /// A paragraph.
    case text(String)
    /// A heading below the part's.
    case heading(String)
    /// Names and values.
    case pairs([(name: String, value: String)])
    case table(Table)
    case picture(Picture)
  }

  /// A picture, for screens of any width.
  package struct Picture: Sendable {
    package var scene: Scene
    /// What stands above it where it is shown.
    package var caption: String
    /// The picture for narrow screens, if there is another.
    package var narrow: Scene?

    package init(scene: Scene, caption: String = "", narrow: Scene? = nil) {
      self.scene = scene
      self.caption = caption
      self.narrow = narrow
    }
  }

  /// A table.
  package struct Table: Sendable {
    /// How a column is set.
    package struct Column: Sendable {
      package var title: String
      package var isNumeric = false
      /// Whether names out of files are in it, which may be long.
      package var isCode = false
      /// Whether sentences are in it.
      package var isProse = false
    }

    package var caption: String
    package var columns: [Column]
    package var rows: [[Cell]] = []
    /// Whether it can be searched and sorted, and formats for overviews leave it out.
    package var isLong = false
  }

  /// One field of a table.
  package struct Cell: Sendable {
    package var text: String
    /// What it is sorted by, instead of the text.
    package var key: Double?
    /// What it means, as a colour.
    package var token: Token?
    /// A share of a whole, drawn as a bar.
    package var share: Double?

    package init(
      _ text: String, key: Double? = nil, token: Token? = nil, share: Double? = nil
    ) {
      self.text = text
      self.key = key
      self.token = token
      self.share = share
    }
  }
}

extension Document.Table {
  /// The table without columns in which nothing stands.
  var withoutEmptyColumns: Document.Table {
    let used = columns.indices.filter { index in
      rows.contains { $0.indices.contains(index) && !$0[index].text.isEmpty }
    }
    var copy = self
    copy.columns = used.map { columns[$0] }
    copy.rows = rows.map { row in used.compactMap { row.indices.contains($0) ? row[$0] : nil } }
    return copy
  }

  /// A table that was made for a terminal.
  package init(
    _ table: TextTable, caption: String, codeColumns: Set<Int> = [], isLong: Bool = false
  ) {
    self.caption = caption
    self.isLong = isLong
    columns = table.columns.enumerated().map { index, column in
      Column(
        title: column.title, isNumeric: column.alignment == .right,
        isCode: codeColumns.contains(index))
    }
    rows = table.rows.compactMap { row in
      row.map { cells in
        cells.enumerated().map { index, cell in
          let text = cell.plain
          let isNumeric = table.columns[index].alignment == .right
          let key = isNumeric ? Double(text.filter { $0 != "," }) : nil
          let isBad = cell.runs.contains { $0.ink == .bad || $0.ink == .alarm }
          return Document.Cell(text, key: key, token: isBad ? .bad : nil)
        }
      }
    }
  }
}
