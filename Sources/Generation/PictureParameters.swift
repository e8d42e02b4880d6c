/// How a picture was made, as the web UIs write it into PNG files under `parameters`.
///
///     let texts = try PictureTexts(path: "cat.png")
///     let how = texts["parameters"].map { PictureParameters(reading: $0) }
///     how?["Seed"]   // "42"
///
/// Source: `parse_generation_parameters` of AUTOMATIC1111's web UI.
public struct PictureParameters: Hashable, Sendable {
  /// A setting.
  public struct Field: Hashable, Sendable {
    /// What it is called, for example `CFG scale`.
    public var name: String
    /// What it is, without quotation marks.
    public var value: String

    /// A setting.
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// What should be in the picture.
  public var prompt: String
  /// What should not be in it.
  public var negativePrompt: String
  /// The settings, in the order of the text.
  public var fields: [Field]

  /// Reads a text; what is no setting belongs to a prompt.
  public init(reading text: String) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.stripped }
    while lines.last?.isEmpty == true { lines.removeLast() }
    var fields = lines.last.map { Self.fields(of: $0) } ?? []
    // Fewer are taken for a prompt with colons.
    if fields.count < 3 { fields = [] } else { lines.removeLast() }
    let border = lines.firstIndex { $0.hasPrefix(Self.negativeMark) } ?? lines.count
    var rest = Array(lines[border...])
    if !rest.isEmpty { rest[0] = rest[0].dropFirst(Self.negativeMark.count).stripped }
    // A second mark is only left out.
    for index in rest.indices.dropFirst() where rest[index].hasPrefix(Self.negativeMark) {
      rest[index] = rest[index].dropFirst(Self.negativeMark.count).stripped
    }
    prompt = lines[..<border].joined(separator: "\n")
    negativePrompt = rest.joined(separator: "\n")
    self.fields = fields
  }

  /// Settings, to be written.
  init(prompt: String, negativePrompt: String, fields: [Field]) {
    self.prompt = prompt
    self.negativePrompt = negativePrompt
    self.fields = fields
  }

  /// The value of a setting.
  public subscript(name: String) -> String? { fields.last { $0.name == name }?.value }

  /// The text, as `create_infotext` of the web UI writes it.
  public var text: String {
    var text = prompt
    if !negativePrompt.isEmpty { text += "\n\(Self.negativeMark) \(negativePrompt)" }
    return text + "\n"
      + fields.map { "\($0.name): \(Self.quoted($0.value))" }.joined(separator: ", ")
  }

  private static let negativeMark = "Negative prompt:"

  /// A value that holds what separates values is a JSON string.
  private static func quoted(_ value: String) -> String {
    guard value.unicodeScalars.contains(where: { ",:\n\"".unicodeScalars.contains($0) }) else {
      return value
    }
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\", "\"": text += "\\\(scalar)"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      default:
        if scalar.value < 0x20 {
          let digits = String(scalar.value, radix: 16)
          text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          text.unicodeScalars.append(scalar)
        }
      }
    }
    return text + "\""
  }
}

// Reading a line of settings.
extension PictureParameters {
  /// The counterpart of the web UI's regular expression
  /// `\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)`.
  private static func fields(of line: String) -> [Field] {
    let scalars = Array(line.unicodeScalars)
    var fields: [Field] = []
    var position = 0
    while let colon = scalars[position...].firstIndex(of: ":") {
      var start = colon
      while start > position, isWord(scalars[start - 1]) || isJoint(scalars[start - 1]) {
        start -= 1
      }
      while start < colon, !isWord(scalars[start]) { start += 1 }
      guard colon - start >= 2 else {
        position = colon + 1
        continue
      }
      var value = colon + 1
      while value < scalars.count, scalars[value].properties.isWhitespace { value += 1 }
      let end = quotedEnd(scalars, value) ?? scalars[value...].firstIndex(of: ",") ?? scalars.count
      fields.append(
        Field(
          name: string(scalars[start..<colon]), value: unquoted(string(scalars[value..<end]))))
      position = min(scalars.count, end + 1)
    }
    return fields
  }

  /// The end of a JSON string at a place, if a comma or nothing follows it.
  private static func quotedEnd(_ scalars: [UnicodeScalar], _ start: Int) -> Int? {
    guard start < scalars.count, scalars[start] == "\"" else { return nil }
    var place = start + 1
    while place < scalars.count, scalars[place] != "\"" {
      place += scalars[place] == "\\" ? 2 : 1
    }
    guard place < scalars.count, place > start + 1,
      place + 1 == scalars.count || scalars[place + 1] == ","
    else { return nil }
    return place + 1
  }

  /// The text of a JSON string; what is none stays as it is.
  private static func unquoted(_ text: String) -> String {
    guard text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return text }
    var result = String.UnicodeScalarView()
    var scalars = text.unicodeScalars.dropFirst().dropLast()
    while let scalar = scalars.popFirst() {
      guard scalar == "\\" else {
        result.append(scalar)
        continue
      }
      switch scalars.popFirst() {
      case "n": result.append("\n")
      case "t": result.append("\t")
      case "r": result.append("\r")
      case "b": result.append("\u{8}")
      case "f": result.append("\u{C}")
      case "u":
        let digits = string(Array(scalars.prefix(4))[...])
        guard digits.unicodeScalars.count == 4, let number = UInt32(digits, radix: 16),
          let scalar = UnicodeScalar(number)
        else { return text }
        result.append(scalar)
        scalars = scalars.dropFirst(4)
      case let other? where "\"\\/".unicodeScalars.contains(other): result.append(other)
      default: return text
      }
    }
    return String(result)
  }

  private static func isWord(_ scalar: UnicodeScalar) -> Bool {
    scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
  }

  /// Whether a scalar may stand between the words of a name.
  private static func isJoint(_ scalar: UnicodeScalar) -> Bool {
    scalar == " " || scalar == "-" || scalar == "/"
  }

  private static func string(_ scalars: ArraySlice<UnicodeScalar>) -> String {
    var text = ""
    text.unicodeScalars.append(contentsOf: scalars)
    return text
  }
}

extension StringProtocol {
  /// Without white space at its ends.
  fileprivate var stripped: String {
    let start = drop { $0.isWhitespace }
    return String(start.reversed().drop { $0.isWhitespace }.reversed())
  }
}
