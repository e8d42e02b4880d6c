public import Tensors

/// The bytes before the data of a safetensors file, and where each tensor goes.
///
/// Computed from names, types and shapes alone, before any value is read. The same input gives the
/// same bytes: metadata is sorted by key, which the reference implementation leaves to chance.
public struct SafeTensorsLayout: Sendable {
  /// In which order the tensors are laid down.
  public enum Order: Sendable {
    /// As the reference implementation sorts them: by type, widest first, then by name.
    case canonical
    /// As they were given; how another file was ordered is kept.
    case given
  }

  /// The header with its length, padded to a multiple of eight.
  public let header: [UInt8]
  /// Where each tensor begins in the file, in the order in which they were given.
  public let offsets: [Int]
  /// The length of the whole file.
  public let byteCount: Int

  /// Lays out a file.
  ///
  /// - Parameters:
  ///   - tensors: what will be in the file.
  ///   - metadata: the texts of `__metadata__`; `nil` writes none, not even an empty one.
  ///   - order: in which order the data lies.
  ///   - minimumHeaderByteCount: a shorter header is padded to this length, with blanks.
  /// - Throws: ``Rule/reservedName``, ``Rule/duplicateTensor``, ``Rule/duplicateMetadata``,
  ///   ``Rule/headerTooLarge`` or ``Rule/sizeOverflow``.
  public init(
    tensors: [TensorInfo], metadata: [MetadataEntry]?, order: Order = .canonical,
    minimumHeaderByteCount: Int = 0
  ) throws(Fault) {
    var sequence = Array(tensors.indices)
    if case .canonical = order {
      sequence.sort { a, b in
        (tensors[b].dtype, tensors[a].name) < (tensors[a].dtype, tensors[b].name)
      }
    }
    var json = JSONText()
    json.bytes.append(UInt8(ascii: "{"))
    if let metadata { try Self.write(metadata, to: &json) }
    var names = Set<TensorName>(minimumCapacity: tensors.count)
    var offsets = [Int](repeating: 0, count: tensors.count)
    var end = 0
    for index in sequence {
      let tensor = tensors[index]
      guard !tensor.name.utf8.elementsEqual("__metadata__".utf8) else {
        throw Fault(.reservedName, "is a reserved name", tensor: tensor.name)
      }
      guard names.insert(tensor.name).inserted else {
        throw Fault(.duplicateTensor, "would be written twice", tensor: tensor.name)
      }
      offsets[index] = end
      let (next, overflow) = end.addingReportingOverflow(tensor.byteCount)
      guard !overflow else {
        throw Fault(.sizeOverflow, "makes the file too large", tensor: tensor.name)
      }
      json.separate()
      json.append(string: tensor.name.string)
      json.append(#":{"dtype":""#)
      json.append(tensor.dtype.name)
      json.append(#"","shape":["#)
      json.append(tensor.shape.map(String.init).joined(separator: ","))
      json.append(#"],"data_offsets":["#)
      json.append("\(end),\(next)]}")
      end = next
    }
    json.bytes.append(UInt8(ascii: "}"))
    while json.bytes.count % 8 != 0 || json.bytes.count + 8 < minimumHeaderByteCount {
      json.bytes.append(0x20)
    }
    guard json.bytes.count <= SafeTensorsHeader.maximumByteCount else {
      throw Fault(
        .headerTooLarge, "would need a header that is too long",
        expected: "at most \(SafeTensorsHeader.maximumByteCount) bytes",
        found: "\(json.bytes.count)")
    }
    let length = UInt64(json.bytes.count)
    header = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) } + json.bytes
    let start = header.count
    guard !end.addingReportingOverflow(start).overflow else {
      throw Fault(.sizeOverflow, "would be too large a file")
    }
    self.offsets = offsets.map { $0 + start }
    byteCount = start + end
  }

  private static func write(
    _ metadata: [MetadataEntry], to json: inout JSONText
  ) throws(Fault) {
    json.separate()
    json.append(#""__metadata__":{"#)
    let sorted = metadata.sorted { TensorName($0.key) < TensorName($1.key) }
    for (index, entry) in sorted.enumerated() {
      if index > 0 {
        guard TensorName(sorted[index - 1].key) != TensorName(entry.key) else {
          throw Fault(.duplicateMetadata, "would have the metadata key '\(entry.key)' twice")
        }
        json.bytes.append(UInt8(ascii: ","))
      }
      json.append(string: entry.key)
      json.bytes.append(UInt8(ascii: ":"))
      json.append(string: entry.value)
    }
    json.bytes.append(UInt8(ascii: "}"))
  }
}

/// Compact JSON with the escapes of the reference serializer.
private struct JSONText {
  var bytes: [UInt8] = []

  mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// Writes a comma unless this is the first member.
  mutating func separate() {
    if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
  }

  mutating func append(string: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""): append(#"\""#)
      case UInt8(ascii: "\\"): append(#"\\"#)
      case 0x08: append(#"\b"#)
      case 0x09: append(#"\t"#)
      case 0x0A: append(#"\n"#)
      case 0x0C: append(#"\f"#)
      case 0x0D: append(#"\r"#)
      case 0x00..<0x20: append(#"\u00"# + (byte < 0x10 ? "0" : "") + String(byte, radix: 16))
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
