public import Tensors

/// The header of a safetensors file, checked against every rule of the format.
///
///     let header = try SafeTensorsHeader(parsing: json, dataByteCount: fileSize - 8 - json.count)
///     header.tensors.first?.name
public struct SafeTensorsHeader: Sendable {
  /// The longest header the format allows, in bytes.
  public static let maximumByteCount = 100_000_000
  /// How deep the header's JSON may be nested: what the reference reader follows.
  static let depthLimit = 127

  /// The tensors, in the order of their data.
  public let tensors: [TensorInfo]
  /// Where each tensor's data begins, in bytes from the end of the header.
  public let offsets: [Int]
  /// The texts of `__metadata__`, in the order of the file; `nil` if it has none.
  public let metadata: [MetadataEntry]?
  /// Valid oddities.
  public let findings: [Fault]

  /// Reads the JSON text of a header.
  ///
  /// Positions in faults count from the beginning of a file whose header begins at byte 8.
  ///
  /// - Parameters:
  ///   - json: the text, padding included.
  ///   - dataByteCount: how many bytes follow it in the file.
  /// - Throws: one of ``Rule/safeTensorsRules``, ``Rule/headerNotUTF8`` and later.
  public init(parsing json: [UInt8], dataByteCount: Int) throws(Fault) {
    var parser = HeaderParser()
    try parser.parse(json)
    metadata = parser.metadata
    findings = parser.findings
    let entries = parser.entries
    // Most files hold their entries in the order of their data; only others need sorting.
    var order = Array(entries.indices)
    func isBefore(_ a: Int, _ b: Int) -> Bool {
      (entries[a].begin, entries[a].end, a) < (entries[b].begin, entries[b].end, b)
    }
    if !zip(order, order.dropFirst()).allSatisfy(isBefore) { order.sort(by: isBefore) }
    var end: UInt64 = 0
    var tensors: [TensorInfo] = []
    var offsets: [Int] = []
    tensors.reserveCapacity(order.count)
    offsets.reserveCapacity(order.count)
    for index in order {
      let entry = entries[index]
      guard entry.begin == end, entry.end >= entry.begin else {
        throw entry.fault(
          .offsetGap,
          entry.end < entry.begin
            ? "ends before it begins"
            : entry.begin < end ? "overlaps another tensor" : "leaves a hole",
          expected: "data from byte \(end)", found: "\(entry.begin) to \(entry.end)")
      }
      let info = try entry.info()
      guard UInt64(info.byteCount) == entry.end - entry.begin else {
        throw entry.fault(
          .sizeMismatch, "has data of the wrong size",
          expected: "\(info.byteCount) bytes for \(info.dtype) \(info.shape)",
          found: "\(entry.end - entry.begin)")
      }
      // The sum of byte counts that fit Int could still not fit; the check below needs it to.
      guard let begin = Int(exactly: entry.begin), Int(exactly: entry.end) != nil else {
        throw entry.fault(.sizeOverflow, "lies beyond 2⁶³ bytes")
      }
      tensors.append(info)
      offsets.append(begin)
      end = entry.end
    }
    guard end == UInt64(dataByteCount) else {
      throw Self.sizeFault(promised: end, present: dataByteCount, headerByteCount: json.count)
    }
    self.tensors = tensors
    self.offsets = offsets
  }

  private static func sizeFault(
    promised: UInt64, present: Int, headerByteCount: Int
  ) -> Fault {
    if promised > UInt64(present) {
      let missing = promised - UInt64(present)
      return Fault(
        .dataSize,
        "is \(grouped(missing)) bytes short of what its header promises",
        offset: 8 + headerByteCount + present,
        hint: "interrupted download? fetch it again")
    }
    let extra = UInt64(present) - promised
    return Fault(
      .dataSize, "has \(grouped(extra)) bytes after its last tensor",
      offset: 8 + headerByteCount + Int(promised), byteCount: Int(extra),
      hint: "no tensor owns them; the file was appended to or its header was edited")
  }
}

/// A number with a comma after each three digits.
func grouped(_ number: UInt64) -> String {
  var text = ""
  for (index, digit) in String(number).reversed().enumerated() {
    if index > 0, index % 3 == 0 { text.append(",") }
    text.append(digit)
  }
  return String(text.reversed())
}
