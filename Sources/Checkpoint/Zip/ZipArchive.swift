import Tensors

/// The directory of a zip archive, checked against the headers in front of the data.
///
/// Stricter than PyTorch's reader: whatever two programs could read differently is refused.
struct ZipArchive: Sendable {
  let file: InputFile
  /// All entries but folders, in the order of the directory.
  let entries: [ZipEntry]
  private let indexes: [TensorName: Int]

  /// Reads the directory and every local header, and nothing else.
  ///
  /// - Throws: rules PT001 to PT007.
  init(_ file: InputFile) throws(Fault) {
    self.file = file
    let end = try ZipEnd(file)
    let directory = try file.read(at: end.directoryOffset, count: end.directorySize)
    var records: [ZipDirectoryRecord] = []
    records.reserveCapacity(end.entryCount)
    var position = 0
    for _ in 0..<end.entryCount {
      records.append(try ZipDirectoryRecord(directory, at: &position, base: end.directoryOffset))
    }
    guard position == directory.count else {
      throw Fault(
        .zipDirectory, "has more in its directory than the stated entries",
        offset: end.directoryOffset + position, expected: "\(end.entryCount) entries")
    }
    try Self.checkDuplicates(records)
    let order = records.indices.sorted { records[$0].headerOffset < records[$1].headerOffset }
    if let first = order.first, records[first].headerOffset != 0 {
      throw Fault(
        .zipDirectory, "has bytes before its first entry", offset: 0,
        found: "\(records[first].headerOffset) bytes")
    }
    var dataOffsets = [Int](repeating: 0, count: records.count)
    var previousEnd = 0
    for (place, index) in order.enumerated() {
      let record = records[index]
      let next =
        place + 1 < order.count ? records[order[place + 1]].headerOffset : end.directoryOffset
      let overlap = Fault(
        .zipOverlap, "has an entry '\(record.name)' that runs into the next",
        offset: record.headerOffset)
      guard record.headerOffset >= previousEnd, next <= end.directoryOffset,
        next - record.headerOffset >= 30 + record.nameBytes.count
      else { throw overlap }
      let header = try ZipLocalHeader(file, record)
      let start = header.dataOffset
      guard start <= next, record.storedSize <= next - start else { throw overlap }
      if header.needsDescriptor, record.storedSize > 0 {
        try ZipDescriptor.check(file, record, at: start + record.storedSize, before: next)
      }
      dataOffsets[index] = start
      previousEnd = start + record.storedSize
    }
    var entries: [ZipEntry] = []
    var indexes: [TensorName: Int] = [:]
    for (record, dataOffset) in zip(records, dataOffsets) {
      if record.nameBytes.last == 0x2F {
        guard record.size == 0 else {
          throw Fault(
            .zipDirectory, "has the folder '\(record.name)' with contents",
            offset: record.position)
        }
        continue
      }
      indexes[record.name] = entries.count
      entries.append(
        ZipEntry(
          name: record.name, isDeflated: record.method == 8,
          crc: UInt32(truncatingIfNeeded: record.crc), storedSize: record.storedSize,
          size: record.size, headerOffset: record.headerOffset, dataOffset: dataOffset))
    }
    self.entries = entries
    self.indexes = indexes
  }

  /// The entry of that exact name.
  subscript(name: String) -> ZipEntry? { indexes[TensorName(name)].map { entries[$0] } }

  /// PyTorch looks names up without regard to case.
  private static func checkDuplicates(_ records: [ZipDirectoryRecord]) throws(Fault) {
    var seen: Set<[UInt8]> = []
    seen.reserveCapacity(records.count)
    for record in records {
      let folded = record.nameBytes.map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 }
      guard seen.insert(folded).inserted else {
        throw Fault(
          .zipDuplicateEntry, "has the entry '\(record.name)' twice", offset: record.position,
          hint: "programs would not agree which one counts; do not use this file")
      }
    }
  }
}

/// The header in front of an entry's data.
///
/// Source: PKWARE APPNOTE 6.3.10, section 4.3.7.
struct ZipLocalHeader {
  /// Where the data begin.
  let dataOffset: Int
  /// Whether sizes and check sum stand behind the data instead of here.
  let needsDescriptor: Bool

  /// Reads the header of `record` and checks it.
  ///
  /// - Throws: ``Rule/zipHeadersDisagree``.
  init(_ file: InputFile, _ record: ZipDirectoryRecord) throws(Fault) {
    let nameEnd = 30 + record.nameBytes.count
    let header = try file.read(at: record.headerOffset, count: nameEnd)
    func disagree(_ what: String, _ expected: String, _ found: String) -> Fault {
      Fault(
        .zipHeadersDisagree, "has two headers for '\(record.name)' with different \(what)",
        offset: record.headerOffset, expected: expected, found: found)
    }
    guard header.u32(0) == 0x0403_4B50 else {
      throw disagree("places", "a local header", "other bytes")
    }
    guard header.u16(26) == record.nameBytes.count,
      header[30...].elementsEqual(record.nameBytes)
    else {
      throw disagree(
        "names", "'\(record.name)'", "'\(String(decoding: header[30...], as: UTF8.self))'")
    }
    guard header.u16(8) == record.method else {
      throw disagree("methods", "\(record.method)", "\(header.u16(8))")
    }
    guard header.u16(6) & 0x2069 == record.flags & 0x2069 else {
      throw disagree("flags", "\(record.flags)", "\(header.u16(6))")
    }
    var sizes = [header.u32(22), header.u32(18)]
    let extraCount = header.u16(28)
    if sizes.contains(0xFFFF_FFFF) {
      let extra = try file.read(
        at: record.headerOffset + nameEnd,
        count: min(extraCount, file.byteCount - record.headerOffset - nameEnd))
      guard ZipExtra.widen(&sizes, extra, 0..<extra.count) else {
        throw disagree("sizes", "\(record.size)", "a damaged extra field")
      }
    }
    // With a data descriptor the header is written before the numbers are known.
    let isLate = record.flags & 8 != 0
    let crc = header.u32(14)
    guard crc == record.crc || (isLate && crc == 0) else {
      throw disagree("check sums", hexadecimal(record.crc), hexadecimal(crc))
    }
    let isUnknown = isLate && sizes.allSatisfy { $0 == 0 }
    guard isUnknown || (sizes[0] == record.size && sizes[1] == record.storedSize) else {
      throw disagree("sizes", "\(record.size)", "\(sizes[0])")
    }
    dataOffset = record.headerOffset + nameEnd + extraCount
    needsDescriptor = isUnknown
  }
}

/// What stands behind an entry's data when the header was written before they were known.
///
/// Source: PKWARE APPNOTE 6.3.10, section 4.3.9.
enum ZipDescriptor {
  /// Checks the descriptor of `record` at `offset`.
  ///
  /// It may begin with a signature, and its sizes have four or eight bytes; nothing tells which.
  ///
  /// - Throws: ``Rule/zipHeadersDisagree``.
  static func check(
    _ file: InputFile, _ record: ZipDirectoryRecord, at offset: Int, before end: Int
  ) throws(Fault) {
    let bytes = try file.read(at: offset, count: min(24, end - offset))
    let signature: [UInt8] = [0x50, 0x4B, 7, 8]
    for start in bytes.starts(with: signature) ? [4, 0] : [0] {
      for width in [4, 8] {
        var expected: [UInt8] = []
        expected.append(record.crc, count: 4)
        expected.append(record.storedSize, count: width)
        expected.append(record.size, count: width)
        if bytes.dropFirst(start).starts(with: expected) { return }
      }
    }
    throw Fault(
      .zipHeadersDisagree, "says other numbers behind the data of '\(record.name)' than before",
      offset: offset, expected: "a data descriptor with the directory's check sum and sizes",
      found: "other bytes")
  }
}

/// Eight hexadecimal digits.
func hexadecimal(_ value: Int) -> String {
  let digits = String(value, radix: 16)
  return "0x" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
}
