import Tensors

/// Reads presets out of Python source: dictionaries of lists of numbers.
///
/// Nothing is evaluated. What is not such a dictionary is reported as code that was not read.
struct PythonPresets {
  private let lines: [Substring]
  private var line = 0
  /// What is left of the current line, without its comment.
  private var rest: Substring

  init(_ lines: [Substring]) {
    self.lines = lines
    rest = Self.code(lines.first ?? "")
  }

  /// Whether the lines hold a dictionary: `NAME = {`, or a brace before anything else.
  static func isPython(_ lines: [Substring]) -> Bool {
    let first = lines.lazy.map(trimmed).first { !$0.isEmpty && !$0.hasPrefix("#") }
    if let first, first.hasPrefix("{") {
      return true
    }
    return lines.contains { opensDictionary(code($0)) }
  }

  private static func opensDictionary(_ line: Substring) -> Bool {
    guard let brace = line.firstIndex(of: "{"), let equals = line.firstIndex(of: "="),
      equals < brace, let first = line.first
    else { return false }
    return (first.isLetter || first == "_")
      && trimmed(line[line.index(after: equals)..<brace]).isEmpty
  }

  /// A line without its comment.
  private static func code(_ line: Substring) -> Substring {
    guard let hash = line.firstIndex(of: "#") else { return trimmed(line) }
    // Names of presets may hold a number sign inside their quotes.
    let quotes = line[..<hash].count { $0 == "\"" || $0 == "'" }
    return trimmed(quotes % 2 == 0 ? line[..<hash] : line)
  }

  private var isAtEnd: Bool { line >= lines.count }

  private mutating func nextLine() {
    line += 1
    rest = isAtEnd ? "" : Self.code(lines[line])
  }

  /// Goes to the next character that is no space; `nil` at the end.
  private mutating func peek() -> Character? {
    while !isAtEnd {
      rest = trimmed(rest)
      if let first = rest.first { return first }
      nextLine()
    }
    return nil
  }

  /// Reads all dictionaries.
  mutating func read(into collection: inout PresetCollection) {
    var codeBegin: Int?
    var codeCount = 0
    while peek() != nil, !collection.isFull {
      if rest.hasPrefix("{") || Self.opensDictionary(rest) {
        rest = rest[(rest.firstIndex(of: "{") ?? rest.startIndex)...].dropFirst()
        readDictionary(into: &collection)
      } else {
        codeBegin = codeBegin ?? line + 1
        codeCount += 1
        nextLine()
      }
    }
    if let codeBegin {
      collection.report(
        Fault(
          .presetLine,
          "holds code that is no dictionary of presets and was not read "
            + "(\(codeCount) line\(codeCount == 1 ? "" : "s") in all)", severity: .note),
        line: codeBegin)
    }
  }

  /// Reads up to the closing brace.
  private mutating func readDictionary(into collection: inout PresetCollection) {
    while let next = peek(), !collection.isFull {
      switch next {
      case ",": rest.removeFirst()
      case "}":
        rest.removeFirst()
        return
      case "\"", "'":
        let start = line + 1
        guard let name = readName(quote: next), let list = readList() else {
          collection.report(
            Fault(
              .presetLine, "is not a preset", expected: "\"NAME\": [weights],",
              found: "'\(shortened(start <= lines.count ? lines[start - 1] : ""))'"), line: start)
          if line == start - 1 { nextLine() }
          continue
        }
        collection.add(name: name, list: trimmed(list), line: start)
      default:
        collection.report(
          Fault(
            .presetLine, "is not a preset", expected: "\"NAME\": [weights],",
            found: "'\(shortened(rest))'"), line: line + 1)
        nextLine()
      }
    }
    if !collection.isFull {
      collection.report(
        Fault(.presetLine, "ends before the dictionary of presets is closed"), line: lines.count)
    }
  }

  /// Reads a name in quotes and the colon after it.
  private mutating func readName(quote: Character) -> Substring? {
    rest.removeFirst()
    guard let end = rest.firstIndex(of: quote) else { return nil }
    let name = rest[..<end]
    rest = rest[end...].dropFirst()
    guard !name.contains("\\"), peek() == ":" else { return nil }
    rest.removeFirst()
    return name
  }

  /// Reads the inside of brackets, over several lines if need be, without a comma at its end.
  private mutating func readList() -> Substring? {
    guard let open = peek(), open == "[" || open == "(" else { return nil }
    let close: Character = open == "[" ? "]" : ")"
    rest.removeFirst()
    var text = ""
    while !isAtEnd, text.utf8.count <= 10_000 {
      let end = rest.firstIndex(of: close)
      // A quote means that the bracket was never closed and the next preset begins.
      guard !rest[..<(end ?? rest.endIndex)].contains(where: { $0 == "\"" || $0 == "'" }) else {
        return nil
      }
      if let end {
        text += rest[..<end]
        rest = rest[end...].dropFirst()
        let list = trimmed(text)
        return list.hasSuffix(",") ? list.dropLast() : list
      }
      text += rest + " "
      nextLine()
    }
    return nil
  }
}
