import StrictJSON
public import Tensors

extension JSONValue {
  /// How deep arrays and objects may be nested in a text that is parsed.
  public static let maximumDepth = 128

  /// Parses one JSON text, strictly.
  ///
  /// Syntax, UTF-8, duplicate keys, depth and numbers are proved by our own scanner first, since
  /// json-c keeps the last of two members of the same name, ends names at a NUL and clamps large
  /// integers. Integers outside 64 bits become ``double(_:)``.
  ///
  /// - Parameters:
  ///   - bytes: the whole text.
  ///   - maximumByteCount: the largest text that is accepted, 16 MiB unless said otherwise.
  ///   - maximumValueCount: the most values in it that are accepted, since each takes up to a few
  ///     hundred bytes of memory.
  /// - Throws: a fault of one of ``Rule/jsonRules``, with the offset of the offending byte.
  public init(
    parsing bytes: [UInt8], maximumByteCount: Int = 16 << 20, maximumValueCount: Int = 200_000
  ) throws(Fault) {
    guard bytes.count <= maximumByteCount else {
      throw Fault(
        .jsonTooLarge, "is too large for the JSON that is expected here",
        expected: "at most \(maximumByteCount) bytes", found: "\(bytes.count)")
    }
    var proof = Proof(valuesLeft: maximumValueCount)
    do throws(JSONSyntaxError) {
      var scanner = try JSONScanner(bytes, depthLimit: Self.maximumDepth)
      try proof.checkValue(&scanner)
      try scanner.finish()
    } catch {
      throw proof.fault ?? Fault(error)
    }
    guard let tree = Tree(parsing: proof.text(of: bytes), depth: Self.maximumDepth) else {
      throw Fault(.jsonSyntax, "is not valid JSON for json-c")
    }
    self = tree.value
  }

  /// Parses one JSON text, strictly; see ``init(parsing:maximumByteCount:maximumValueCount:)``.
  public init(parsing text: String) throws(Fault) { try self.init(parsing: Array(text.utf8)) }
}

extension Fault {
  /// A text that is not strict JSON.
  init(_ error: JSONSyntaxError) {
    let rule: Rule =
      switch error.reason {
      case .duplicateKey: .jsonDuplicateKey
      case .tooDeep: .jsonTooDeep
      default: .jsonSyntax
      }
    let hint: String? =
      error.reason == .unexpectedEnd ? "the file may not have been downloaded completely" : nil
    self.init(rule, "is not valid JSON: \(error)", offset: error.offset, hint: hint)
  }
}

/// What must be known of a text before json-c may read it.
private struct Proof {
  /// How many more values may come.
  var valuesLeft: Int
  /// What is wrong beyond syntax.
  var fault: Fault?
  /// The ends of the integers that do not fit 64 bits.
  var largeIntegers: [Int] = []

  private static let maximumNumberLength = 1000

  init(valuesLeft: Int) { self.valuesLeft = valuesLeft }

  /// Reads past one value, noting what json-c would misread.
  ///
  /// Recurses once for each level of nesting, which the scanner limits.
  mutating func checkValue(_ scanner: inout JSONScanner) throws(JSONSyntaxError) {
    let kind = try scanner.peek()
    let start = scanner.position
    guard valuesLeft > 0 else {
      throw stop(Fault(.jsonTooLarge, "holds too many JSON values", offset: start))
    }
    valuesLeft -= 1
    switch kind {
    case .object:
      var keys = Set<[UInt8]>()
      try scanner.readObject(orThrow: { $0 }) { key, position, scanner throws(JSONSyntaxError) in
        let bytes = Array(key.utf8)
        guard !bytes.contains(0) else {
          throw stop(
            Fault(
              .jsonKeyWithNUL, "has the character U+0000 in the name of a JSON member",
              offset: position))
        }
        guard keys.insert(bytes).inserted else {
          throw JSONSyntaxError(.duplicateKey(key), at: position)
        }
        try checkValue(&scanner)
      }
    case .array:
      try scanner.readArray(orThrow: { $0 }) { scanner throws(JSONSyntaxError) in
        try checkValue(&scanner)
      }
    case .number:
      try scanner.skipValue()
      try checkNumber(scanner.bytes[start..<scanner.position])
    case .string, .literal: try scanner.skipValue()
    }
  }

  private mutating func checkNumber(_ digits: ArraySlice<UInt8>) throws(JSONSyntaxError) {
    // Up to 18 digits always fit.
    guard digits.count > 18 || digits.contains(where: { $0 | 0x20 == UInt8(ascii: "e") }) else {
      return
    }
    let text = String(decoding: digits.prefix(Self.maximumNumberLength + 1), as: UTF8.self)
    guard digits.count <= Self.maximumNumberLength, Double(text)?.isFinite == true else {
      throw stop(
        Fault(
          .jsonNumber, "has a number outside the range of 64-bit floating point",
          offset: digits.startIndex, byteCount: digits.count))
    }
    let isInteger = digits.allSatisfy { $0 != UInt8(ascii: ".") && $0 | 0x20 != UInt8(ascii: "e") }
    if isInteger, Int(text) == nil { largeIntegers.append(digits.endIndex) }
  }

  /// Notes `fault` and returns what leaves the scanner.
  private mutating func stop(_ fault: Fault) -> JSONSyntaxError {
    self.fault = fault
    return JSONSyntaxError(.trailingBytes, at: fault.offset ?? 0)
  }

  /// What json-c reads: `bytes`, with a fraction at each integer that it would clamp, and a zero
  /// byte, which tells it that a number at the end is complete.
  func text(of bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count + 2 * largeIntegers.count + 1)
    var start = 0
    for end in largeIntegers {
      text += bytes[start..<end]
      text += [UInt8(ascii: "."), UInt8(ascii: "0")]
      start = end
    }
    text += bytes[start...]
    text.append(0)
    return text
  }
}
