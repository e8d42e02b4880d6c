import Drawing
import Inspection

extension Document {
  /// The report as one HTML page that needs nothing else: no network, no script from elsewhere.
  ///
  /// The policy in its head allows its own style sheet and script, by their hashes, and forbids
  /// everything else: text out of files could not run even if it were not escaped.
  package func html(version: String) -> String {
    var writer = HTMLWriter()
    let policy =
      "default-src 'none'; style-src 'sha256-\(HTMLAssets.styleHash)'; "
      + "script-src 'sha256-\(HTMLAssets.scriptHash)'; base-uri 'none'; form-action 'none'"
    writer.text += """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="\(policy)">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="referrer" content="no-referrer">
      <meta name="generator" content="sdtool \(version.markupEscaped)">
      <title>\(title.markupEscaped)</title>
      <style>\(HTMLAssets.style)</style>
      </head>
      <body>
      <a class="skip" href="#content">Skip to the content</a>
      <header>
      <h1>\(title.markupEscaped)</h1>
      <p class="subtitle">\(subtitle.markupEscaped)</p>

      """
    if !highlights.isEmpty {
      writer.text += "<dl class=\"tiles\">\n"
      for highlight in highlights {
        let style = highlight.token.map { " class=\"b-\($0.rawValue)\"" } ?? ""
        writer.text +=
          "<div\(style)><dt>\(highlight.name.markupEscaped)</dt>"
          + "<dd>\(highlight.value.markupEscaped)</dd></div>\n"
      }
      writer.text += "</dl>\n"
    }
    writer.text += "</header>\n"
    if sections.count > 1 {
      writer.text += "<nav aria-label=\"Contents\"><ul>\n"
      for section in sections {
        writer.text +=
          "<li><a href=\"#\(section.anchor)\">\(section.title.markupEscaped)</a></li>\n"
      }
      writer.text += "</ul></nav>\n"
    }
    writer.text += "<main id=\"content\">\n"
    for section in sections { writer.add(section) }
    writer.text +=
      "</main>\n<footer>made by sdtool \(version.markupEscaped)</footer>\n"
      + "<script>\(HTMLAssets.script)</script>\n</body>\n</html>\n"
    return writer.text
  }
}

/// An HTML page under construction.
private struct HTMLWriter {
  var text = ""

  mutating func add(_ section: Document.Section) {
    text += "<section id=\"\(section.anchor)\">\n<h2>\(section.title.markupEscaped)</h2>\n"
    for block in section.blocks {
      switch block {
      case .text(let words): text += "<p>\(words.markupEscaped)</p>\n"
      case .heading(let words): text += "<h3>\(words.markupEscaped)</h3>\n"
      case .pairs(let pairs): add(pairs)
      case .table(let table): add(table)
      case .picture(let picture): add(picture)
      }
    }
    text += "</section>\n"
  }

  private mutating func add(_ pairs: [(name: String, value: String)]) {
    text += "<dl class=\"pairs\">\n"
    for pair in pairs {
      text += "<dt>\(pair.name.markupEscaped)</dt><dd>\(pair.value.markupEscaped)</dd>\n"
    }
    text += "</dl>\n"
  }

  private mutating func add(_ picture: Document.Picture) {
    text += "<figure>\n"
    if !picture.caption.isEmpty {
      text += "<figcaption>\(picture.caption.markupEscaped)</figcaption>\n"
    }
    text += picture.scene.inlineSVG(class: picture.narrow == nil ? "any" : "wide")
    if let narrow = picture.narrow { text += narrow.inlineSVG(class: "narrow") }
    text += "</figure>\n"
  }

  private mutating func add(_ table: Document.Table) {
    let caption = table.caption.markupEscaped
    if table.isLong {
      let count = Written.count(table.rows.count)
      text += """
        <details\(table.rows.count > 0 && table.caption == "Tensors" ? " open" : "")>
        <summary>\(caption) (\(count))</summary>
        <div class="tools"><label>Search <input type="search" autocomplete="off" \
        placeholder="name, type, shape …"></label><output>\(count) rows</output></div>

        """
    }
    // A table of thousands of rows would be most of what is printed.
    let isVast = table.isLong && table.rows.count > 200
    if isVast {
      text +=
        "<p class=\"unprinted\">The table of \(Written.count(table.rows.count)) rows is left out in print.</p>\n"
    }
    text +=
      "<div class=\"scroll\(table.isLong ? " long" : "")\(isVast ? " vast" : "")\" tabindex=\"0\" role=\"region\" "
    text += "aria-label=\"\(caption)\"><table>\n<thead><tr>"
    for column in table.columns {
      let style = column.isNumeric ? " class=\"n\"" : ""
      let title = column.title.markupEscaped
      text +=
        table.isLong
        ? "<th scope=\"col\"\(style) aria-sort=\"none\"><button type=\"button\">\(title)</button></th>"
        : "<th scope=\"col\"\(style)>\(title)</th>"
    }
    text += "</tr></thead>\n<tbody>\n"
    for row in table.rows {
      text += "<tr>"
      for (index, cell) in row.enumerated() {
        add(cell, table.columns[min(index, table.columns.count - 1)], isLong: table.isLong)
      }
      text += "</tr>\n"
    }
    text += "</tbody></table></div>\n"
    if table.isLong { text += "</details>\n" }
  }

  private mutating func add(
    _ cell: Document.Cell, _ column: Document.Table.Column, isLong: Bool
  ) {
    var classes: [String] = []
    if column.isNumeric { classes.append("n") }
    if column.isCode { classes.append("c") }
    if column.isProse { classes.append("w") }
    if cell.share != nil { classes.append("s") }
    if let token = cell.token { classes.append("b-" + token.rawValue) }
    text += "<td"
    if !classes.isEmpty { text += " class=\"\(classes.joined(separator: " "))\"" }
    // Numbers are sorted by what they are, not by how they are written.
    if isLong, let key = cell.key, key.isFinite { text += " data-k=\"\(key)\"" }
    text += ">"
    if let share = cell.share {
      let width = (min(max(share, 0), 1) * 120).coordinate
      text +=
        "<svg class=\"share\" viewBox=\"0 0 120 10\" width=\"120\" height=\"10\" "
        + "aria-hidden=\"true\"><rect width=\"\(width)\" height=\"10\" rx=\"2\" "
        + "class=\"f-series\"/></svg> "
    }
    let words = cell.text.markupEscaped
    // Long names are broken after their points.
    text +=
      column.isCode
      ? words.split(separator: ".", omittingEmptySubsequences: false).joined(separator: ".<wbr>")
      : words
    text += "</td>"
  }
}
