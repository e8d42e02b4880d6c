/// A zip checkpoint around `pickle`, with two storages of 64 bytes and no check sums.
///
/// Fuzzing the pickle through a whole archive would spend the time on the archive.
func checkpoint(pickle: [UInt8]) -> [UInt8] {
  var archive = ArchiveWriter()
  archive.add("a/data.pkl", pickle)
  let storage = [UInt8](0..<64)
  archive.add("a/data/0", storage)
  archive.add("a/data/1", storage)
  archive.add("a/version", [0x33, 0x0A])
  return archive.finished()
}

/// Writes the least that makes a zip archive.
private struct ArchiveWriter {
  private var bytes: [UInt8] = []
  private var directory: [UInt8] = []
  private var count: UInt16 = 0

  mutating func add(_ name: String, _ data: [UInt8]) {
    let offset = UInt32(bytes.count)
    let name = Array(name.utf8)
    let size = UInt32(data.count)
    // Version, flags, method, time, date, check sum (0: not computed), sizes, lengths of name and
    // extra field: the part that both headers share.
    let shared =
      little(20 as UInt16) + little(0x800 as UInt16) + little(0 as UInt16) + little(0 as UInt32)
      + little(0 as UInt32) + little(size) + little(size) + little(UInt16(name.count))
      + little(0 as UInt16)
    bytes += [0x50, 0x4B, 3, 4] + shared + name + data
    // Comment length, disk, attributes.
    directory +=
      [0x50, 0x4B, 1, 2, 20, 3] + shared + little(0 as UInt16) + little(0 as UInt16)
      + little(0 as UInt16) + little(0 as UInt32) + little(offset) + name
    count += 1
  }

  func finished() -> [UInt8] {
    bytes + directory + [0x50, 0x4B, 5, 6] + little(0 as UInt32) + little(count) + little(count)
      + little(UInt32(directory.count)) + little(UInt32(bytes.count)) + little(0 as UInt16)
  }

  private func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }
}
