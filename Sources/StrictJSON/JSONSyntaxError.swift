/// Why a text is not strict JSON, and where.
public struct JSONSyntaxError: Error, Hashable, Sendable {
  /// What is wrong.
  public enum Reason: Hashable, Sendable {
    /// The text ends inside a value.
    case unexpectedEnd
    /// A byte stands where JSON allows only what `expected` says.
    case unexpected(byte: UInt8, expected: String)
    /// A byte sequence is not UTF-8.
    case invalidUTF8
    /// A control character below 0x20 stands in a string.
    case controlCharacter(UInt8)
    /// `\x` and the like.
    case unknownEscape(UInt8)
    /// `\u` without four hexadecimal digits, or half of a surrogate pair.
    case invalidUnicodeEscape
    /// A number with a leading zero, a `+`, or missing digits.
    case malformedNumber
    /// Arrays and objects nested deeper than the limit.
    case tooDeep(limit: Int)
    /// Something follows the value.
    case trailingBytes
    /// A name occurs twice in one object.
    case duplicateKey(String)
  }

  /// What is wrong.
  public let reason: Reason
  /// The position of the offending byte.
  public let offset: Int

  /// An error at byte `offset`.
  public init(_ reason: Reason, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }
}

extension JSONSyntaxError: CustomStringConvertible {
  /// The reason in words, without the position.
  public var description: String {
    switch reason {
    case .unexpectedEnd: "the JSON text ends inside a value"
    case .unexpected(let byte, let expected):
      "\(Self.spelling(of: byte)) stands where \(expected) belongs"
    case .invalidUTF8: "the text is not UTF-8"
    case .controlCharacter(let byte):
      "a string holds the bare control character \(Self.spelling(of: byte))"
    case .unknownEscape(let byte): "a string holds the unknown escape \\\(Self.spelling(of: byte))"
    case .invalidUnicodeEscape: "a \\u escape is not four hex digits, or half a surrogate pair"
    case .malformedNumber: "a number is not written as JSON requires"
    case .tooDeep(let limit): "arrays and objects are nested deeper than \(limit)"
    case .trailingBytes: "something follows the JSON value"
    case .duplicateKey(let key): "the key '\(key)' occurs twice"
    }
  }

  private static func spelling(of byte: UInt8) -> String {
    if (0x21...0x7E).contains(byte) { return "'\(Character(UnicodeScalar(byte)))'" }
    let digits = String(byte, radix: 16)
    return "byte 0x" + (digits.count < 2 ? "0" : "") + digits
  }
}
