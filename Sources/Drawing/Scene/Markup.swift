import Inspection

extension StringProtocol {
  /// The text as it may stand between tags or in quotes of XML and HTML.
  ///
  /// Names and metadata come out of files that anyone may have made. Control characters become
  /// their pictures first: XML has no spelling for most of them.
  package var markupEscaped: String {
    // Nearly all text is plain; looking costs a fraction of copying.
    let isPlain = utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""),
        UInt8(ascii: "'"):
        false
      default: (0x20...0x7E).contains(byte)
      }
    }
    if isPlain { return String(self) }
    var result = ""
    for byte in sanitized.unicodeScalars {
      switch byte {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(byte)
      }
    }
    return result
  }
}

extension Double {
  /// At most two digits after the point, none that is not needed: `12`, `12.5`, `-0.25`.
  package var coordinate: String {
    let hundredths = (self * 100).rounded()
    guard let value = Int(exactly: hundredths) else { return "0" }
    let (whole, rest) = value.magnitude.quotientAndRemainder(dividingBy: 100)
    var text = (value < 0 ? "-" : "") + String(whole)
    if rest > 0 {
      text += rest % 10 == 0 ? ".\(rest / 10)" : rest < 10 ? ".0\(rest)" : ".\(rest)"
    }
    return text
  }
}

extension StringProtocol {
  /// ``markupEscaped``, but lines stay lines, as tooltips need.
  var linesEscaped: String {
    split(separator: "\n", omittingEmptySubsequences: false).map(\.markupEscaped)
      .joined(separator: "\n")
  }
}
