/// How numbers are written for people; every command writes them alike.
package enum Written {
  /// A whole number in groups of three digits: `1,234,567`.
  package static func count(_ value: Int) -> String {
    let digits = Array(String(value.magnitude))
    var text = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }

  /// A number of things: `1 file`, `2 files`.
  package static func count(_ value: Int, _ singular: String, _ plural: String? = nil) -> String {
    count(value) + " " + (value == 1 ? singular : plural ?? singular + "s")
  }

  /// The size of a file in decimal units, as shops and download pages give it: `2.13 GB`.
  package static func fileSize(_ byteCount: Int) -> String {
    size(byteCount, base: 1000, units: ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"])
  }

  /// An amount of memory in binary units, as system monitors give it: `1.99 GiB`.
  package static func memorySize(_ byteCount: Int) -> String {
    size(byteCount, base: 1024, units: ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
  }

  /// A number of values in at most four characters of digits: `860 M`, `1.07 B`.
  package static func approximately(_ value: Int) -> String {
    value < 1000
      ? "\(value)" : size(value, base: 1000, units: ["", "K", "M", "B", "T", "Qa", "Qi"])
  }

  /// A share of a whole: `12.3%`; `0%` and `100%` only where that is exact.
  package static func percentage(_ part: Int, of whole: Int) -> String {
    guard whole > 0 else { return "–" }
    if part <= 0 { return "0%" }
    if part >= whole { return "100%" }
    let share = Double(part) / Double(whole) * 100
    if share < 0.1 { return "<0.1%" }
    if share > 99.9 { return ">99.9%" }
    return decimal(share, digits: 1) + "%"
  }

  /// A duration: `3 ms`, `0.31 s`, `12.3 s`, `2 min 05 s`.
  package static func duration(seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "–" }
    let milliseconds = Int((max(0, seconds) * 1000).rounded())
    switch milliseconds {
    case ..<100: return "\(milliseconds) ms"
    case ..<9995: return decimal(seconds, digits: 2) + " s"
    case ..<59950: return decimal(seconds, digits: 1) + " s"
    default:
      let whole = (milliseconds + 500) / 1000
      let rest = whole % 60
      return "\(count(whole / 60)) min \(rest < 10 ? "0" : "")\(rest) s"
    }
  }

  /// A number with a fixed number of digits after the point: `0.180`.
  package static func decimal(_ value: Double, digits: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-inf" : "inf" }
    let scale = (0..<digits).reduce(1) { product, _ in product * 10 }
    let scaled = (value.magnitude * Double(scale)).rounded(.toNearestOrEven)
    guard let units = Int(exactly: scaled) else { return "\(value)" }
    let sign = value < 0 && units > 0 ? "-" : ""
    guard digits > 0 else { return sign + "\(units)" }
    let fraction = String(units % scale)
    return sign + "\(units / scale)." + String(repeating: "0", count: digits - fraction.count)
      + fraction
  }

  /// Three significant digits and a unit.
  private static func size(_ value: Int, base: Double, units: [String]) -> String {
    var amount = Double(value.magnitude), unit = 0
    // 999.5 would be written as 1000.
    while unit < units.count - 1, amount >= (unit == 0 ? base : 999.5) {
      amount /= base
      unit += 1
    }
    let sign = value < 0 ? "-" : ""
    if unit == 0 {
      return value == 1 && units[0] == "bytes" ? "1 byte" : sign + "\(Int(amount)) \(units[0])"
    }
    let digits = amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0
    return sign + decimal(amount, digits: digits) + " " + units[unit]
  }
}
