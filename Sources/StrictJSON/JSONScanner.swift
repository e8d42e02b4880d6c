/// Reads strict JSON token by token, with the position of every byte it refuses.
///
/// Strict means RFC 8259 and no more: no byte order mark, comments, single quotes, trailing commas,
/// `NaN`, leading zeros, bare control characters, unknown escapes or halves of surrogate pairs.
/// Nothing recurses, so that no input can exhaust the stack, and nothing is allocated but the
/// strings that are asked for.
///
///     var scanner = try JSONScanner([UInt8](#"{"a": 1}"#.utf8))
///     try scanner.readObject { key, scanner in
///       print(key, try scanner.readUnsignedInteger())
///     }
///     try scanner.finish()
public struct JSONScanner: Sendable {
  /// The whole text.
  public let bytes: [UInt8]
  /// The next byte to be read.
  public private(set) var position = 0
  /// How deep arrays and objects may be nested.
  public let depthLimit: Int

  private var depth = 0

  /// A scanner at the beginning of `bytes`.
  ///
  /// - Throws: ``JSONSyntaxError/Reason/invalidUTF8`` unless the whole text is UTF-8.
  public init(_ bytes: [UInt8], depthLimit: Int = 128) throws(JSONSyntaxError) {
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: bytes.span)
    } catch {
      throw JSONSyntaxError(.invalidUTF8, at: error.byteOffsets.lowerBound)
    }
    self.bytes = bytes
    self.depthLimit = depthLimit
  }

  /// What kind of value comes next.
  public enum Kind: Sendable { case object, array, string, number, literal }

  /// Skips white space and tells what kind of value comes next, without reading it.
  public mutating func peek() throws(JSONSyntaxError) -> Kind {
    switch try nextByte() {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): return .literal
    case let byte: throw JSONSyntaxError(.unexpected(byte: byte, expected: "a value"), at: position)
    }
  }

  /// Checks that only white space is left.
  public mutating func finish() throws(JSONSyntaxError) {
    skipWhitespace()
    guard position == bytes.count else { throw JSONSyntaxError(.trailingBytes, at: position) }
  }

  /// Reads an object; `body` is called after each key and must read its value.
  public mutating func readObject<Failure: Error>(
    orThrow failure: (JSONSyntaxError) -> Failure,
    _ body: (_ key: String, _ keyPosition: Int, inout JSONScanner) throws(Failure) -> Void
  ) throws(Failure) {
    do throws(JSONSyntaxError) {
      try enter(UInt8(ascii: "{"), "'{'")
      if try nextByte() == UInt8(ascii: "}") { return leave() }
    } catch { throw failure(error) }
    while true {
      let key: String, keyPosition: Int
      do throws(JSONSyntaxError) {
        (key, keyPosition) = try readKey()
      } catch { throw failure(error) }
      try body(key, keyPosition, &self)
      do throws(JSONSyntaxError) {
        if try readSeparator(orEnd: UInt8(ascii: "}"), "',' or '}'") { return leave() }
      } catch { throw failure(error) }
    }
  }

  /// Reads an array; `body` is called before each element and must read it.
  public mutating func readArray<Failure: Error>(
    orThrow failure: (JSONSyntaxError) -> Failure,
    _ body: (inout JSONScanner) throws(Failure) -> Void
  ) throws(Failure) {
    do throws(JSONSyntaxError) {
      try enter(UInt8(ascii: "["), "'['")
      if try nextByte() == UInt8(ascii: "]") { return leave() }
    } catch { throw failure(error) }
    while true {
      try body(&self)
      do throws(JSONSyntaxError) {
        if try readSeparator(orEnd: UInt8(ascii: "]"), "',' or ']'") { return leave() }
      } catch { throw failure(error) }
    }
  }

  /// Reads an object; `body` is called after each key and must read its value.
  public mutating func readObject(
    _ body: (_ key: String, inout JSONScanner) throws(JSONSyntaxError) -> Void
  ) throws(JSONSyntaxError) {
    try readObject(orThrow: { $0 }) { key, _, scanner throws(JSONSyntaxError) in
      try body(key, &scanner)
    }
  }

  /// Reads a string.
  public mutating func readString() throws(JSONSyntaxError) -> String {
    try expect(UInt8(ascii: "\""), "a string")
    let start = position
    let plain = try skipPlainCharacters()
    if plain { return String(decoding: bytes[start..<position - 1], as: UTF8.self) }
    return try readEscapedString(from: start)
  }

  /// Reads a number written with digits alone, or returns `nil` for any other number.
  ///
  /// `1.0`, `1e0`, `-0` and numbers of 2⁶⁴ and above are other numbers; they are read past.
  public mutating func readUnsignedInteger() throws(JSONSyntaxError) -> UInt64? {
    _ = try nextByte()
    let start = position
    let isPlain = try skipNumber()
    guard isPlain else { return nil }
    var value: UInt64 = 0
    for byte in bytes[start..<position] {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
      guard !overflow, !carry else { return nil }
      value = sum
    }
    return value
  }

  /// Reads past one value of any kind.
  public mutating func skipValue() throws(JSONSyntaxError) {
    // One bit a level: whether it is an object.
    var containers: [Bool] = []
    while true {
      switch try peek() {
      case .object:
        try enter(UInt8(ascii: "{"), "'{'")
        if try nextByte() != UInt8(ascii: "}") {
          containers.append(true)
          _ = try readKey()
          continue
        }
        leave()
      case .array:
        try enter(UInt8(ascii: "["), "'['")
        if try nextByte() != UInt8(ascii: "]") {
          containers.append(false)
          continue
        }
        leave()
      case .string: try skipString()
      case .number: _ = try skipNumber()
      case .literal: try skipLiteral()
      }
      // A value has ended: close every container that ends here, or go on in the innermost one.
      while let isObject = containers.last {
        let end = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
        guard try readSeparator(orEnd: end, isObject ? "',' or '}'" : "',' or ']'") else { break }
        leave()
        containers.removeLast()
      }
      guard let isObject = containers.last else { return }
      if isObject { _ = try readKey() }
    }
  }

  /// Reads `null` if it comes next, and tells whether it did.
  public mutating func readNull() throws(JSONSyntaxError) -> Bool {
    guard try nextByte() == UInt8(ascii: "n") else { return false }
    try skipLiteral()
    return true
  }
}

// MARK: - Tokens

extension JSONScanner {
  private mutating func skipWhitespace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  /// The next byte that is not white space, not yet read.
  private mutating func nextByte() throws(JSONSyntaxError) -> UInt8 {
    skipWhitespace()
    guard position < bytes.count else { throw JSONSyntaxError(.unexpectedEnd, at: position) }
    return bytes[position]
  }

  private mutating func expect(_ byte: UInt8, _ name: String) throws(JSONSyntaxError) {
    let found = try nextByte()
    guard found == byte else {
      throw JSONSyntaxError(.unexpected(byte: found, expected: name), at: position)
    }
    position += 1
  }

  private mutating func enter(_ byte: UInt8, _ name: String) throws(JSONSyntaxError) {
    try expect(byte, name)
    depth += 1
    guard depth <= depthLimit else {
      throw JSONSyntaxError(.tooDeep(limit: depthLimit), at: position - 1)
    }
  }

  /// Reads the closing bracket, which the caller has seen.
  private mutating func leave() {
    position += 1
    depth -= 1
  }

  private mutating func readKey() throws(JSONSyntaxError) -> (key: String, position: Int) {
    let byte = try nextByte()
    guard byte == UInt8(ascii: "\"") else {
      throw JSONSyntaxError(.unexpected(byte: byte, expected: "a key in quotes"), at: position)
    }
    let keyPosition = position
    let key = try readString()
    try expect(UInt8(ascii: ":"), "':'")
    return (key, keyPosition)
  }

  /// Reads a comma and returns false, or stops before `end` and returns true.
  private mutating func readSeparator(
    orEnd end: UInt8, _ expected: String
  ) throws(JSONSyntaxError) -> Bool {
    let byte = try nextByte()
    if byte == end { return true }
    guard byte == UInt8(ascii: ",") else {
      throw JSONSyntaxError(.unexpected(byte: byte, expected: expected), at: position)
    }
    position += 1
    return false
  }

  /// Reads past `true`, `false` or `null`.
  private mutating func skipLiteral() throws(JSONSyntaxError) {
    let word: StaticString
    switch bytes[position] {
    case UInt8(ascii: "t"): word = "true"
    case UInt8(ascii: "f"): word = "false"
    default: word = "null"
    }
    for byte in "\(word)".utf8 {
      guard position < bytes.count else { throw JSONSyntaxError(.unexpectedEnd, at: position) }
      guard bytes[position] == byte else {
        throw JSONSyntaxError(
          .unexpected(byte: bytes[position], expected: "the word \(word)"), at: position)
      }
      position += 1
    }
  }

  /// Reads past a number and tells whether it was digits alone.
  private mutating func skipNumber() throws(JSONSyntaxError) -> Bool {
    var isPlain = true
    func digit(_ p: Int) -> Bool { p < bytes.count && (0x30...0x39).contains(bytes[p]) }
    func byte(_ p: Int) -> UInt8 { p < bytes.count ? bytes[p] : 0 }
    func digits(_ p: inout Int, in bytes: [UInt8]) throws(JSONSyntaxError) {
      guard digit(p) else {
        throw p < bytes.count
          ? JSONSyntaxError(.malformedNumber, at: p) : JSONSyntaxError(.unexpectedEnd, at: p)
      }
      while digit(p) { p += 1 }
    }
    var p = position
    if byte(p) == UInt8(ascii: "-") {
      isPlain = false
      p += 1
    }
    if byte(p) == UInt8(ascii: "0") {
      p += 1
      guard !digit(p) else { throw JSONSyntaxError(.malformedNumber, at: p) }
    } else {
      try digits(&p, in: bytes)
    }
    if byte(p) == UInt8(ascii: ".") {
      isPlain = false
      p += 1
      try digits(&p, in: bytes)
    }
    if byte(p) | 0x20 == UInt8(ascii: "e") {
      isPlain = false
      p += 1
      if byte(p) == UInt8(ascii: "+") || byte(p) == UInt8(ascii: "-") { p += 1 }
      try digits(&p, in: bytes)
    }
    position = p
    return isPlain
  }
}

// MARK: - Strings

extension JSONScanner {
  /// Reads past characters that stand for themselves and the quote or backslash that ends them.
  ///
  /// - Returns: whether it was the closing quote.
  private mutating func skipPlainCharacters() throws(JSONSyntaxError) -> Bool {
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") { return true }
      if byte == UInt8(ascii: "\\") { return false }
      guard byte >= 0x20 else {
        throw JSONSyntaxError(.controlCharacter(byte), at: position - 1)
      }
    }
    throw JSONSyntaxError(.unexpectedEnd, at: position)
  }

  private mutating func skipString() throws(JSONSyntaxError) {
    position += 1
    while try !skipPlainCharacters() { _ = try readEscape() }
  }

  /// Reads the rest of a string that began at `start`; a backslash has just been read.
  private mutating func readEscapedString(from start: Int) throws(JSONSyntaxError) -> String {
    var text = Array(bytes[start..<position - 1])
    while true {
      let scalar = try readEscape()
      text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      let plainStart = position
      let isEnd = try skipPlainCharacters()
      text.append(contentsOf: bytes[plainStart..<position - 1])
      if isEnd { return String(decoding: text, as: UTF8.self) }
    }
  }

  /// Reads what follows a backslash.
  private mutating func readEscape() throws(JSONSyntaxError) -> UnicodeScalar {
    guard position < bytes.count else { throw JSONSyntaxError(.unexpectedEnd, at: position) }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return UnicodeScalar(byte)
    case UInt8(ascii: "b"): return "\u{08}"
    case UInt8(ascii: "f"): return "\u{0C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try readUnicodeEscape()
    default: throw JSONSyntaxError(.unknownEscape(byte), at: position - 1)
    }
  }

  private mutating func readUnicodeEscape() throws(JSONSyntaxError) -> UnicodeScalar {
    let start = position
    let high = try readHexDigits()
    if let scalar = UnicodeScalar(high) { return scalar }
    guard high < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    else { throw JSONSyntaxError(.invalidUnicodeEscape, at: start) }
    position += 2
    let low = try readHexDigits()
    guard (0xDC00..<0xE000).contains(low),
      let scalar = UnicodeScalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
    else { throw JSONSyntaxError(.invalidUnicodeEscape, at: start) }
    return scalar
  }

  private mutating func readHexDigits() throws(JSONSyntaxError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count else { throw JSONSyntaxError(.unexpectedEnd, at: position) }
      let digit: UInt32
      switch bytes[position] {
      case let byte where (0x30...0x39).contains(byte): digit = UInt32(byte) - 0x30
      case let byte where (0x41...0x46).contains(byte & 0xDF): digit = UInt32(byte & 0xDF) - 0x37
      default: throw JSONSyntaxError(.invalidUnicodeEscape, at: position)
      }
      value = value << 4 | digit
      position += 1
    }
    return value
  }
}
