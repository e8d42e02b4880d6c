import Inspection

extension Written {
  /// A measure in three significant digits: `0.0123`, `1.23e-7`, `1`; `–` where there is none.
  package static func measure(_ value: Double?) -> String {
    guard let value else { return "–" }
    guard value != 0 else { return "0" }
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-∞" : "∞" }
    var exponent = 0
    var mantissa = value.magnitude
    while mantissa >= 9.995 && exponent < 400 {
      mantissa /= 10
      exponent += 1
    }
    while mantissa < 0.9995 && exponent > -400 {
      mantissa *= 10
      exponent -= 1
    }
    if exponent > 5 || exponent < -4 {
      let sign = value < 0 ? "-" : ""
      return sign + trimmed(decimal(mantissa, digits: 2)) + "e\(exponent)"
    }
    return trimmed(decimal(value, digits: max(0, 2 - exponent)))
  }

  /// A cosine: as many digits as are needed to tell it from 1, up to seven.
  package static func cosine(_ value: Double?) -> String {
    guard let value else { return "–" }
    if value == 1 { return "1" }
    let gap = 1 - value.magnitude
    var digits = 3
    var step = 0.01
    guard gap > 5e-8 else { return value > 0 ? "≈1" : "≈-1" }
    while digits < 7, gap < step {
      digits += 1
      step /= 10
    }
    return decimal(value, digits: digits)
  }

  private static func trimmed(_ text: String) -> String {
    guard text.contains(".") else { return text }
    var text = text[...]
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return String(text)
  }

  /// A bar as long as `share` of `width` columns; a sliver for what is more than nothing.
  package static func bar(_ share: Double, width: Int) -> String {
    guard share.isFinite, share > 0, width > 0 else { return "" }
    let eighths = max(1, Int((min(share, 1) * Double(width * 8)).rounded()))
    let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return String(repeating: "█", count: eighths / 8) + partial[eighths % 8]
  }
}
