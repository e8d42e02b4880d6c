import JSON

/// JSON text exactly as Python's `json.dumps` writes it by default.
///
/// `", "` and `": "` between values, everything outside ASCII escaped as UTF-16, floating-point
/// numbers as `repr` spells them.
///
///     PythonJSON.dumps(["é": [1, 0.5, nil, true]])   // {"\u00e9": [1, 0.5, null, true]}
enum PythonJSON {
  /// The text of a value; its depth is that of the parser that made it, at most.
  static func dumps(_ value: JSONValue) -> String {
    var text = ""
    write(value, to: &text)
    return text
  }

  private static func write(_ value: JSONValue, to text: inout String) {
    switch value {
    case .null: text += "null"
    case .bool(let bool): text += bool ? "true" : "false"
    case .integer(let number): text += "\(number)"
    // Swift and Python both write the shortest digits that read back, and switch to an exponent
    // at the same magnitudes.
    case .double(let number):
      text +=
        number.isFinite ? "\(number)" : number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
    case .string(let string): text += quoted(string)
    case .array(let elements):
      text += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { text += ", " }
        write(element, to: &text)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { text += ", " }
        text += quoted(member.key) + ": "
        write(member.value, to: &text)
      }
      text += "}"
    }
  }

  /// A string in double quotes, in ASCII.
  static func quoted(_ string: String) -> String {
    var text = "\""
    for unit in string.utf16 {
      switch unit {
      case 0x22: text += "\\\""
      case 0x5C: text += "\\\\"
      case 0x08: text += "\\b"
      case 0x09: text += "\\t"
      case 0x0A: text += "\\n"
      case 0x0C: text += "\\f"
      case 0x0D: text += "\\r"
      case 0x20...0x7E: text.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
      default:
        let digits = String(unit, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return text + "\""
  }
}
