import StrictJSON
import Tensors

/// One entry of the header, as far as it can be judged by itself.
struct HeaderEntry {
  let name: TensorName
  let dtype: DType
  let shape: [UInt64]
  let begin, end: UInt64
  /// Where the entry's name stands in the file.
  let position: Int

  func fault(
    _ rule: Rule, _ message: String, expected: String? = nil, found: String? = nil
  ) -> Fault {
    Fault(rule, message, offset: position, tensor: name, expected: expected, found: found)
  }

  /// Type and shape with their size.
  func info() throws(Fault) -> TensorInfo {
    var product: UInt64 = 1
    // Left to right and without regard to zeros, as the reference reader multiplies.
    for extent in shape {
      let (result, overflow) = product.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw fault(.sizeOverflow, "has a shape that overflows: \(shape)") }
      product = result
    }
    guard !product.multipliedReportingOverflow(by: UInt64(dtype.bitCount)).overflow else {
      throw fault(.sizeOverflow, "has a size that overflows: \(shape)")
    }
    var extents: [Int] = []
    extents.reserveCapacity(shape.count)
    for extent in shape {
      guard let extent = Int(exactly: extent) else {
        throw fault(.sizeOverflow, "has a shape that overflows: \(shape)")
      }
      extents.append(extent)
    }
    do throws(DType.SizeError) {
      return try TensorInfo(name: name, dtype: dtype, shape: extents)
    } catch {
      switch error {
      case .overflow: throw fault(.sizeOverflow, "has a size that overflows: \(shape)")
      case .fractionalByte:
        throw fault(
          .fractionalByte, "ends inside a byte", expected: "a whole number of bytes",
          found: "\(product) values of \(dtype.bitCount) bits")
      }
    }
  }
}

/// Reads the entries of a header, one after another.
struct HeaderParser {
  private(set) var entries: [HeaderEntry] = []
  private(set) var metadata: [MetadataEntry]?
  private(set) var findings: [Fault] = []

  private var names = Set<TensorName>()
  private var sawMetadata = false

  /// Reads a whole header; positions in faults count from a file in which it begins at byte 8.
  mutating func parse(_ json: [UInt8]) throws(Fault) {
    var scanner = try strictly { () throws(JSONSyntaxError) in
      try JSONScanner(json, depthLimit: SafeTensorsHeader.depthLimit)
    }
    guard try strictly({ () throws(JSONSyntaxError) in try scanner.peek() }) == .object else {
      throw Fault(
        .headerNotObject, "has a header that is not a JSON object", offset: 8 + scanner.position)
    }
    if scanner.position > 0 {
      findings.append(
        Fault(
          .leadingWhitespace, "has white space before its header", offset: 8,
          byteCount: scanner.position))
    }
    try scanner.readObject(orThrow: syntaxFault) { key, position, scanner throws(Fault) in
      if key.utf8.elementsEqual("__metadata__".utf8) {
        try readMetadata(&scanner, at: 8 + position)
      } else {
        try readEntry(TensorName(key), &scanner, at: 8 + position)
      }
    }
    try strictly { () throws(JSONSyntaxError) in try scanner.finish() }
  }

  private mutating func readMetadata(
    _ scanner: inout JSONScanner, at position: Int
  ) throws(Fault) {
    guard !sawMetadata else {
      throw Fault(.metadataNotStrings, "has '__metadata__' twice", offset: position)
    }
    sawMetadata = true
    if try strictly({ () throws(JSONSyntaxError) in try scanner.readNull() }) { return }
    guard try strictly({ () throws(JSONSyntaxError) in try scanner.peek() }) == .object else {
      throw Fault(
        .metadataNotStrings, "has metadata that is not an object", offset: 8 + scanner.position)
    }
    var keys = Set<TensorName>()
    var result: [MetadataEntry] = []
    try scanner.readObject(orThrow: syntaxFault) { key, position, scanner throws(Fault) in
      guard keys.insert(TensorName(key)).inserted else {
        throw Fault(.duplicateMetadata, "has the metadata key '\(key)' twice", offset: 8 + position)
      }
      guard let value = try readString(&scanner) else {
        throw Fault(
          .metadataNotStrings, "has metadata that is not text under '\(key)'",
          offset: 8 + scanner.position, expected: "a string")
      }
      result.append(MetadataEntry(key: key, value: value))
    }
    metadata = result
  }

  private mutating func readEntry(
    _ name: TensorName, _ scanner: inout JSONScanner, at position: Int
  ) throws(Fault) {
    func fault(_ rule: Rule, _ message: String, _ expected: String? = nil, _ found: String? = nil)
      -> Fault
    {
      Fault(rule, message, offset: position, tensor: name, expected: expected, found: found)
    }
    guard names.insert(name).inserted else {
      throw fault(.duplicateTensor, "is named twice in the header")
    }
    guard try strictly({ () throws(JSONSyntaxError) in try scanner.peek() }) == .object else {
      throw fault(.entryFields, "has an entry that is not an object")
    }
    var dtype: DType?
    var shape: [UInt64]?
    var range: (begin: UInt64, end: UInt64)?
    var unknownField: String?
    try scanner.readObject(orThrow: syntaxFault) { key, _, scanner throws(Fault) in
      switch key {
      case "dtype":
        guard dtype == nil else { throw fault(.entryFields, "has two dtypes") }
        guard let spelling = try readString(&scanner) else {
          throw fault(.unknownDType, "has a dtype that is not a string")
        }
        guard let known = DType(name: spelling) else {
          throw fault(
            .unknownDType, "has an unknown dtype", "one of F32, F16, BF16, I64, …", "'\(spelling)'")
        }
        dtype = known
      case "shape":
        guard shape == nil else { throw fault(.entryFields, "has two shapes") }
        guard let list = try readNumbers(&scanner) else {
          throw fault(
            .invalidShape, "has a shape that is not an array of whole numbers from 0 to 2⁶⁴ − 1")
        }
        shape = list
      case "data_offsets":
        guard range == nil else { throw fault(.entryFields, "has two data_offsets") }
        guard let list = try readNumbers(&scanner), list.count == 2 else {
          throw fault(.invalidOffsets, "has data_offsets that are not two whole numbers")
        }
        range = (list[0], list[1])
      default:
        unknownField = unknownField ?? key
        try strictly { () throws(JSONSyntaxError) in try scanner.skipValue() }
      }
    }
    guard let dtype, let shape, let range else {
      let missing = [
        dtype == nil ? "dtype" : nil, shape == nil ? "shape" : nil,
        range == nil ? "data_offsets" : nil,
      ].compactMap(\.self)
      throw fault(.entryFields, "lacks \(missing.joined(separator: " and "))")
    }
    if let unknownField {
      findings.append(fault(.unknownField, "has the unknown field '\(unknownField)'"))
    }
    entries.append(
      HeaderEntry(
        name: name, dtype: dtype, shape: shape, begin: range.begin, end: range.end,
        position: position))
  }
}

/// Runs `body` and words its errors as faults of a file whose header begins at byte 8.
private func strictly<Result>(
  _ body: () throws(JSONSyntaxError) -> Result
) throws(Fault) -> Result {
  do throws(JSONSyntaxError) { return try body() } catch { throw syntaxFault(error) }
}

private func syntaxFault(_ error: JSONSyntaxError) -> Fault {
  let rule: Rule =
    switch error.reason {
    case .invalidUTF8: .headerNotUTF8
    case .trailingBytes: .headerTrailingBytes
    case .tooDeep: .headerTooDeep
    default: .headerSyntax
    }
  return Fault(
    rule, "has a header that is not valid: \(error)", offset: 8 + error.offset,
    hint: "the file is damaged or is not safetensors")
}

/// Reads a string, or returns `nil` if the next value is of another kind.
private func readString(_ scanner: inout JSONScanner) throws(Fault) -> String? {
  try strictly { () throws(JSONSyntaxError) in
    guard try scanner.peek() == .string else { return nil }
    return try scanner.readString()
  }
}

/// Reads an array of unsigned numbers, or returns `nil` if it is anything else.
private func readNumbers(_ scanner: inout JSONScanner) throws(Fault) -> [UInt64]? {
  try strictly { () throws(JSONSyntaxError) in
    guard try scanner.peek() == .array else {
      try scanner.skipValue()
      return nil
    }
    var numbers: [UInt64] = []
    var isValid = true
    try scanner.readArray(orThrow: { $0 }) { scanner throws(JSONSyntaxError) in
      guard try scanner.peek() == .number else {
        isValid = false
        return try scanner.skipValue()
      }
      if let number = try scanner.readUnsignedInteger() {
        numbers.append(number)
      } else {
        isValid = false
      }
    }
    return isValid ? numbers : nil
  }
}
