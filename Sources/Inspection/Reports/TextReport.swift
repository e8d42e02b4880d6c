import Tensors

/// How a report for a terminal is laid out.
package struct TextReportLayout: Sendable {
  /// Whether it is coloured.
  package var style: Style
  /// The columns there are.
  package var width: Int
  /// How many findings of one rule are shown for each file; `nil` for all.
  package var limit: Int?

  /// A layout; 80 columns, no colour and three findings of each rule unless said otherwise.
  package init(style: Style = .plain, width: Int = 80, limit: Int? = 3) {
    self.style = style
    self.width = width
    self.limit = limit
  }
}

extension ValidationReport {
  /// The report for a person at a terminal, with a line break at its end.
  ///
  ///     ✓ dreamlike.safetensors  Stable Diffusion 1.5, safetensors file
  ///
  ///     ! broken.ckpt  Stable Diffusion 1.5, PyTorch checkpoint (zip)
  ///       error    SD001  'model.diffusion_model.out.2.weight' is missing: expected
  ///                       [4, 320, 3, 3]
  ///                       … and 683 more, --all shows them
  ///                     → the download may have been interrupted; fetch it again
  ///
  ///     2 files: 1 clean, 1 with findings; 684 errors
  package func text(_ layout: TextReportLayout = TextReportLayout()) -> String {
    var page = Page(layout: layout)
    for file in files { page.add(file) }
    if let baseline { page.add(baseline) }
    page.separate()
    page.add(styledSummary, indent: 0)
    return page.text
  }
}

/// Lines under construction.
private struct Page {
  let layout: TextReportLayout
  private(set) var text = ""
  /// Whether the last file needs a blank line after it.
  private var isOpen = false

  /// Below this width, findings begin under their severity instead of beside it.
  private static let narrow = 60

  init(layout: TextReportLayout) { self.layout = layout }

  mutating func separate() {
    if !text.isEmpty { text += "\n" }
    isOpen = false
  }

  mutating func add(_ file: FileReport) {
    if !text.isEmpty, isOpen || file.status != .clean { separate() }
    let mark: StyledText = "\(file.status.mark, file.status.ink) "
    let path = StyledText(file.path, .strong).truncated(to: max(20, layout.width - 2))
    var remark: StyledText = "\(file.title, .faint)"
    if let seconds = file.seconds {
      let time = Written.duration(seconds: seconds)
      remark += "\((file.title.isEmpty ? "" : " · ") + time, .faint)"
    }
    if remark.columns == 0 {
      add(mark + path, indent: 2, first: 0)
    } else if 4 + path.columns + remark.columns <= layout.width {
      add(mark + path + "  " + remark, indent: 2, first: 0)
    } else {
      add(mark + path, indent: 2, first: 0)
      add(remark, indent: 2)
    }
    for group in file.groups { add(group) }
    isOpen = file.status != .clean
  }

  /// Adds the findings of one rule: as many as the layout allows, and the number of the others.
  private mutating func add(_ group: ArraySlice<Fault>) {
    guard let first = group.first else { return }
    let severity = first.severity.rawValue
    let blanks = String(repeating: " ", count: 8 - severity.count)
    let head: StyledText = "\(severity, first.severity.ink)\(blanks) \(first.rule.id, .faint)"
    let isNarrow = layout.width < Self.narrow
    let indent = isNarrow ? 4 : 2 + head.columns + 2
    if isNarrow { add(head, indent: 2) }

    let excerpt = Excerpt(group, limit: layout.limit)
    for (index, item) in excerpt.items.enumerated() {
      let isHead = !isNarrow && index == 0
      let lead: StyledText = isHead ? "  \(head)  " : StyledText()
      let room = max(16, layout.width - indent)
      for (number, line) in statement(of: item.fault).wrapped(to: room).enumerated() {
        if number == 0, isHead {
          add(lead + line, indent: indent, first: 0)
        } else {
          add(line, indent: indent)
        }
      }
      if index == excerpt.items.count - 1, let remark = excerpt.remark {
        add("\(remark + ", --all shows them", .faint)", indent: indent)
      }
      if let hint = item.hint { add("\("→ " + hint, .faint)", indent: indent, first: indent - 2) }
    }
  }

  private func statement(of fault: Fault) -> StyledText {
    var text = StyledText()
    if let tensor = fault.tensor { text += "\(tensor.string.sanitized(limit: 160), .name) " }
    var bare = fault
    bare.tensor = nil
    bare.expected = Self.unbroken(fault.expected)
    bare.found = Self.unbroken(fault.found)
    text += StyledText(bare.statement)
    if let offset = fault.offset { text += "\(" (byte\u{A0}\(Written.count(offset)))", .faint)" }
    return text
  }

  /// A shape in one piece.
  private static func unbroken(_ value: String?) -> String? {
    guard let value, value.hasPrefix("["), value.utf8.count <= 40 else { return value }
    return value.replacing(" ", with: "\u{A0}")
  }

  mutating func add(_ baseline: Baseline.Effect) {
    guard !baseline.stale.isEmpty else { return }
    separate()
    let count = baseline.stale.reduce(0) { $0 + $1.count }
    add(
      """
      \(Written.count(count, "finding"), .caution) of the baseline \
      \(count == 1 ? "has" : "have") gone; write it anew to keep it short
      """, indent: 0)
    let limit = layout.limit ?? baseline.stale.count
    for entry in baseline.stale.prefix(limit) {
      let tensor: StyledText =
        entry.tensor.map { " \($0.string.sanitized(limit: 160), .name)" } ?? StyledText()
      let times: StyledText = entry.count > 1 ? " × \(Written.count(entry.count))" : StyledText()
      add("\(entry.rule, .faint)  \(entry.path)\(tensor)\(times)", indent: 9, first: 2)
    }
    let rest = baseline.stale.count - limit
    if rest > 0 {
      add("\("… and \(Written.count(rest)) more, --all shows them", .faint)", indent: 2)
    }
  }

  /// Adds one paragraph, its lines indented by `indent`, the first by `first`.
  mutating func add(_ paragraph: StyledText, indent: Int, first: Int? = nil) {
    let first = first ?? indent
    let room = max(16, layout.width - max(indent, first))
    var rest = paragraph.columns + first <= layout.width ? [paragraph] : paragraph.wrapped(to: room)
    if !rest.isEmpty {
      text +=
        String(repeating: " ", count: first) + rest.removeFirst().rendered(layout.style) + "\n"
    }
    for line in rest {
      text += String(repeating: " ", count: indent) + line.rendered(layout.style) + "\n"
    }
  }
}
