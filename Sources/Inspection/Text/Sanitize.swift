extension StringProtocol {
  /// The text as it may be shown to a person: one line, nothing hidden, nothing obeyed.
  ///
  /// Names, metadata and paths come out of files that anyone may have made. Control characters
  /// become their pictures (escape is `␛`, a line feed `␊`), and what is invisible or turns text
  /// around — bidirectional overrides, zero-width characters, separators of lines, private and
  /// unassigned code points — becomes its number, `\u{202E}`. Everything else stays.
  package var sanitized: String {
    if utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return String(self) }
    var scalars = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      switch scalar.value {
      case 0x20...0x7E: scalars.append(scalar)
      case 0..<0x20, 0x7F:
        let picture = scalar.value == 0x7F ? 0x2421 : 0x2400 + scalar.value
        scalars.append(UnicodeScalar(picture) ?? "\u{FFFD}")
      default:
        guard scalar.isInvisible else {
          scalars.append(scalar)
          continue
        }
        scalars.append(contentsOf: "\\u{\(hexadecimal(scalar.value))}".unicodeScalars)
      }
    }
    return String(scalars)
  }

  /// The sanitized text in at most `limit` columns, its middle replaced by `…` where it is longer.
  package func sanitized(limit: Int) -> String {
    // What is far too long is cut before it is examined character by character. A character may
    // consist of many code points, so the cut is generous.
    guard utf8.count > 64 * limit else { return middleTruncated(sanitized, to: limit) }
    let scalars = unicodeScalars
    let half = 4 * limit
    var text = String.UnicodeScalarView(scalars.prefix(half))
    text.append("…")
    text.append(contentsOf: scalars.suffix(half))
    return middleTruncated(String(text).sanitized, to: limit)
  }
}

extension UnicodeScalar {
  /// Whether it shows nothing of itself, or nothing that is the same everywhere.
  fileprivate var isInvisible: Bool {
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
      .unassigned:
      true
    default: properties.isDefaultIgnorableCodePoint && !isVariationSelector
    }
  }

  /// Whether it selects how the emoji or letter before it is drawn.
  private var isVariationSelector: Bool { (0xFE00...0xFE0F).contains(value) }
}

private func hexadecimal(_ value: UInt32) -> String {
  let digits = String(value, radix: 16, uppercase: true)
  return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}
