import Tensors

/// Where the directory of a zip archive lies, from the records at its end.
///
/// Source: PKWARE APPNOTE 6.3.10, sections 4.3.14 to 4.3.16.
struct ZipEnd {
  let entryCount: Int
  let directoryOffset: Int
  let directorySize: Int

  /// A directory beyond this size is not a model's.
  private static let maximumDirectorySize = 64 << 20
  private static let recordSize = 22
  private static let locatorSize = 20
  private static let record64Size = 56

  /// Finds and checks the end of the archive in `file`.
  ///
  /// - Throws: ``Rule/zipEnd``, ``Rule/zipDirectory``.
  init(_ file: InputFile) throws(Fault) {
    let window = min(file.byteCount, Self.recordSize + 65_535)
    let windowStart = file.byteCount - window
    let tail = try file.read(at: windowStart, count: window)
    let position = try Self.find(in: tail, windowStart: windowStart)
    let offset = windowStart + position
    func word(_ at: Int) -> Int { tail.u16(position + at) }
    func double(_ at: Int) -> Int { tail.u32(position + at) }
    guard word(4) == 0 || word(4) == 0xFFFF, word(6) == 0 || word(6) == 0xFFFF else {
      throw Fault(.zipDirectory, "is one part of an archive in several files", offset: offset)
    }
    var values = (
      count: word(10), here: word(8), size: double(12), offset: double(16), end: offset
    )
    let isSaturated =
      values.count == 0xFFFF || values.size == 0xFFFF_FFFF || values.offset == 0xFFFF_FFFF
    if let record = try Self.record64(file, before: offset) {
      let given = values
      values = record
      // A field of the old record is either saturated or says the same.
      guard
        (given.count == 0xFFFF || given.count == record.count)
          && (given.size == 0xFFFF_FFFF || given.size == record.size)
          && (given.offset == 0xFFFF_FFFF || given.offset == record.offset)
      else {
        throw Fault(
          .zipDirectory, "has two records of its end that contradict each other", offset: offset)
      }
    } else if isSaturated, values.count == 0xFFFF || values.offset == 0xFFFF_FFFF {
      throw Fault(.zipEnd, "has no zip64 end record, which its size needs", offset: offset)
    }
    guard values.here == values.count || values.here == 0xFFFF else {
      throw Fault(.zipDirectory, "is one part of an archive in several files", offset: offset)
    }
    let (end, overflow) = values.offset.addingReportingOverflow(values.size)
    guard !overflow, end == values.end else {
      throw Fault(
        .zipDirectory, "has a directory that does not end where the archive does", offset: offset,
        expected: "byte \(values.end)",
        found: overflow ? "a position beyond all files" : "byte \(end)",
        hint: "the file is damaged, or something was put before or after it")
    }
    guard values.size <= Self.maximumDirectorySize, values.count <= values.size / 46 else {
      throw Fault(
        .zipDirectory, "states a number of entries that its directory cannot hold", offset: offset,
        expected: "at most \(min(values.size, Self.maximumDirectorySize) / 46)",
        found: "\(values.count)")
    }
    entryCount = values.count
    directoryOffset = values.offset
    directorySize = values.size
  }

  /// The one position where an end record can be whose comment reaches the end of the file.
  private static func find(in tail: [UInt8], windowStart: Int) throws(Fault) -> Int {
    var found: Int?
    var position = tail.count - recordSize
    while position >= 0 {
      if tail[position] == 0x50, tail[position + 1] == 0x4B, tail[position + 2] == 5,
        tail[position + 3] == 6, tail.u16(position + 20) == tail.count - position - recordSize
      {
        guard found == nil else {
          throw Fault(
            .zipEnd, "has more than one end of archive", offset: windowStart + position,
            hint: "programs would not agree about its contents; do not use it")
        }
        found = position
      }
      position -= 1
    }
    guard let found else {
      throw Fault(
        .zipEnd, "has no end of a zip archive", offset: windowStart + tail.count,
        hint: "the download was probably interrupted; fetch the file again")
    }
    return found
  }

  /// The zip64 record, if a locator for one stands before the end record at `offset`.
  private static func record64(
    _ file: InputFile, before offset: Int
  ) throws(Fault) -> (count: Int, here: Int, size: Int, offset: Int, end: Int)? {
    guard offset >= locatorSize else { return nil }
    let locatorOffset = offset - locatorSize
    let locator = try file.read(at: locatorOffset, count: locatorSize)
    guard locator.u32(0) == 0x0706_4B50 else { return nil }
    let bad = Fault(.zipEnd, "has a damaged zip64 end record", offset: locatorOffset)
    guard locator.u32(4) == 0, locator.u32(16) <= 1, let at = Int(exactly: locator.u64(8)),
      at <= locatorOffset - record64Size
    else { throw bad }
    let record = try file.read(at: at, count: record64Size)
    guard record.u32(0) == 0x0606_4B50, let rest = Int(exactly: record.u64(4)),
      rest == locatorOffset - at - 12, record.u32(16) == 0, record.u32(20) == 0,
      let here = Int(exactly: record.u64(24)), let count = Int(exactly: record.u64(32)),
      let size = Int(exactly: record.u64(40)), let directory = Int(exactly: record.u64(48))
    else { throw bad }
    return (count, here, size, directory, at)
  }
}
