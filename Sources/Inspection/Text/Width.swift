extension Character {
  /// The columns it takes on a terminal: 0, 1 or 2.
  package var columns: Int {
    var columns = 0
    for scalar in unicodeScalars { columns = max(columns, scalar.columns) }
    return columns
  }
}

extension StringProtocol {
  /// The columns the text takes on a terminal.
  package var columns: Int {
    utf8.allSatisfy { $0 < 0x80 } ? utf8.count : reduce(0) { $0 + $1.columns }
  }
}

extension UnicodeScalar {
  fileprivate var columns: Int {
    if value < 0x300 { return 1 }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: return Self.wide.contains { $0.contains(value) } ? 2 : 1
    }
  }

  /// The blocks whose characters are twice as wide.
  ///
  /// Source: the values W and F in Unicode's EastAsianWidth.txt, merged into blocks.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3,
    0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
    0x1F680...0x1F6FF, 0x1F900...0x1FAFF, 0x20000...0x3FFFD,
  ]
}

/// What all of `names` begin with, up to a point, slash or underscore: it tells none from another.
///
/// Nothing for a single name, and where a name would be left empty.
package func commonStart(of names: some Collection<String>) -> String {
  guard names.count > 1, let first = names.first else { return "" }
  var common = first[...]
  for name in names.dropFirst() {
    common = common.prefix(zip(common, name).prefix { $0 == $1 }.count)
  }
  let last = common.lastIndex { "./_".contains($0) }
  let start = last.map { String(common[...$0]) } ?? ""
  return names.contains(start) ? "" : start
}

/// `text` in at most `limit` columns: its middle gives way to `…`.
///
/// Names of tensors begin with what they belong to and end with what they are; both ends matter. A
/// text that has lost its beginning already, and begins with `…`, loses more of it.
package func middleTruncated(_ text: String, to limit: Int) -> String {
  guard text.columns > limit else { return text }
  guard limit > 1 else { return limit == 1 ? "…" : "" }
  let hasStart = !text.hasPrefix("…")
  let characters = Array(hasStart ? text : String(text.dropFirst()))
  var head = 0, tail = characters.count, headColumns = 0, tailColumns = 0
  while head < tail {
    // The end gets the odd column: what a tensor is tells more than where it is.
    let takesTail = !hasStart || tailColumns <= headColumns
    let next = (takesTail ? characters[tail - 1] : characters[head]).columns
    guard headColumns + tailColumns + next < limit else { break }
    if takesTail {
      tail -= 1
      tailColumns += next
    } else {
      head += 1
      headColumns += next
    }
  }
  return String(characters[..<head]) + "…" + String(characters[tail...])
}
