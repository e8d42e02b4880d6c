/// One line of text whose parts look different.
///
///     let line: StyledText = "\(name, .name) has shape \(shape)"
///     print(line.rendered(.colored))
///
/// Everything interpolated into it is sanitized; only literals are taken as they are.
package struct StyledText: Sendable {
  package struct Run: Sendable {
    package var text: String
    package var ink: Ink
  }

  /// The parts, in order.
  package private(set) var runs: [Run] = []

  /// `text`, sanitized, in one look.
  package init(_ text: String = "", _ ink: Ink = .plain) { append(text.sanitized, ink) }

  /// The columns it takes.
  package var columns: Int { runs.reduce(0) { $0 + $1.text.columns } }

  /// The text without looks.
  package var plain: String { rendered(.plain) }

  /// The text for an output; spaces at which lines must not be broken become ordinary ones.
  package func rendered(_ style: Style) -> String {
    runs.map { run in
      let text = run.text.contains("\u{A0}") ? run.text.replacing("\u{A0}", with: " ") : run.text
      return style.paint(text, run.ink)
    }.joined()
  }

  /// Appends another text.
  package static func += (a: inout StyledText, b: StyledText) {
    for run in b.runs { a.append(run.text, run.ink) }
  }

  /// One text after the other.
  package static func + (a: StyledText, b: StyledText) -> StyledText {
    var sum = a
    sum += b
    return sum
  }

  private mutating func append(_ text: String, _ ink: Ink) {
    guard !text.isEmpty else { return }
    if let last = runs.indices.last, runs[last].ink == ink {
      runs[last].text += text
    } else {
      runs.append(Run(text: text, ink: ink))
    }
  }

  /// The text in at most `limit` columns, its middle replaced by `…`; it takes the look of its
  /// first part.
  package func truncated(to limit: Int) -> StyledText {
    guard columns > limit else { return self }
    var text = StyledText()
    text.append(middleTruncated(plain, to: limit), runs.first?.ink ?? .plain)
    return text
  }

  /// The text with its first `count` characters replaced; it takes the look of its first part.
  func replacingStart(_ count: Int, by mark: String) -> StyledText {
    var text = StyledText()
    text.append(mark + plain.dropFirst(count), runs.first?.ink ?? .plain)
    return text
  }

  /// The text in lines of at most `width` columns, broken at spaces where that is possible.
  ///
  /// A word too long for a line is broken after a point, slash, hyphen or underscore, or anywhere.
  package func wrapped(to width: Int) -> [StyledText] {
    let cells = runs.flatMap { run in run.text.map { (character: $0, ink: run.ink) } }
    let width = max(1, width)
    var lines: [StyledText] = []
    var start = 0
    while start < cells.count {
      var end = start, columns = 0
      while end < cells.count {
        columns += cells[end].character.columns
        if columns > width, end > start { break }
        end += 1
      }
      var next = end
      if end < cells.count {
        if cells[end].character == " " {
          next = end + 1
        } else if let space = cells[start..<end].lastIndex(where: { $0.character == " " }),
          space > start
        {
          end = space
          next = space + 1
        } else if let joint = cells[start..<end].lastIndex(where: { "./-_".contains($0.character) }
        ),
          joint - start > width / 2
        {
          end = joint + 1
          next = end
        }
      }
      // Of several spaces at a break, none is at the end or the beginning of a line.
      while end > start + 1, cells[end - 1].character == " " { end -= 1 }
      while next < cells.count, next > end, cells[next].character == " " { next += 1 }
      var line = StyledText()
      for cell in cells[start..<end] { line.append(String(cell.character), cell.ink) }
      lines.append(line)
      start = next
    }
    return lines.isEmpty ? [StyledText()] : lines
  }
}

extension StyledText: ExpressibleByStringInterpolation {
  /// A literal, taken as it is.
  package init(stringLiteral value: String) { append(value, .plain) }

  /// A literal with interpolated parts.
  package init(stringInterpolation: Interpolation) { runs = stringInterpolation.text.runs }

  /// Collects the parts of a literal.
  package struct Interpolation: StringInterpolationProtocol {
    fileprivate var text = StyledText()

    package init(literalCapacity: Int, interpolationCount: Int) {}

    package mutating func appendLiteral(_ literal: String) { text.append(literal, .plain) }

    /// Any value, in a look of its own.
    package mutating func appendInterpolation(_ value: some Any, _ ink: Ink = .plain) {
      text.append("\(value)".sanitized, ink)
    }

    /// A text with its looks.
    package mutating func appendInterpolation(_ value: StyledText) { text += value }
  }
}
