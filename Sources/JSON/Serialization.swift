import CJSON
public import Tensors

extension JSONValue {
  /// Writes the value as JSON text, without a line break at its end.
  ///
  /// The same value always gives the same bytes: members in their order, numbers in the shortest
  /// form that reads back as the same number, slashes not escaped. Numbers that JSON cannot
  /// express (infinities, NaN) become `null`. A NUL character in the name of a member becomes
  /// U+2400 (`␀`), because json-c ends names there; in values it is kept.
  ///
  /// - Parameter pretty: whether to write one member or element per line, indented by two spaces.
  /// - Returns: the text.
  /// - Throws: ``Rule/jsonTooLarge`` when the text could exceed 2 GiB, which json-c cannot write.
  public func serialized(pretty: Bool = false) throws(Fault) -> String {
    guard maximumSize < Int(CInt.max) else {
      throw Fault(
        .jsonTooLarge, "would be more than 2 GiB of JSON", hint: "write less of it at a time")
    }
    guard let text = Tree(self).text(flags: JSON_C_TO_STRING_NOSLASHESCAPE) else {
      throw Fault(.jsonTooLarge, "does not fit into memory as JSON")
    }
    return pretty ? Self.indented(text) : text
  }

  /// No fewer bytes than the compact text will have.
  private var maximumSize: Int {
    switch self {
    case .null, .bool: 5
    case .integer, .double: 32
    case .string(let text): Self.maximumSize(of: text)
    case .array(let elements): elements.reduce(2) { $0 + $1.maximumSize + 1 }
    case .object(let members):
      members.reduce(2) { $0 + Self.maximumSize(of: $1.key) + $1.value.maximumSize + 2 }
    }
  }

  private static func maximumSize(of text: String) -> Int {
    text.utf8.reduce(2) { $0 + ($1 < 0x20 || $1 == 0x22 || $1 == 0x5C ? 6 : 1) }
  }

  /// A compact text with line breaks and spaces.
  ///
  /// json-c has a pretty form too, but it differs from one version of json-c to the next.
  private static func indented(_ compact: String) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(compact.utf8.count * 2)
    var level = 0
    var isInString = false, isEscaped = false
    func breakLine() {
      text.append(UInt8(ascii: "\n"))
      text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * level))
    }
    for byte in compact.utf8 {
      if isInString {
        isInString = isEscaped || byte != UInt8(ascii: "\"")
        isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
        text.append(byte)
        continue
      }
      let follows = text.last
      switch byte {
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        level -= 1
        // Opening and closing bracket are two bytes apart in ASCII.
        if follows.map({ $0 &+ 2 }) != byte { breakLine() }
        text.append(byte)
      case UInt8(ascii: ","): text.append(byte)
      case UInt8(ascii: ":"): text += [byte, UInt8(ascii: " ")]
      default:
        switch follows {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ","): breakLine()
        default: break
        }
        text.append(byte)
        isInString = byte == UInt8(ascii: "\"")
        if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") { level += 1 }
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
