/// Where the entries of a zip archive go whose sizes are known in advance.
///
/// All entries are stored; the data of each begin at a multiple of 64 bytes, so that they can be
/// mapped and read fast. The same entries give the same bytes.
///
/// Source: PKWARE APPNOTE 6.3.10; padding as PyTorch's `caffe2/serialize/inline_container.cc`.
struct ZipLayout {
  struct Entry {
    let name: String
    let size: Int
    let headerOffset: Int
    let dataOffset: Int
  }

  let entries: [Entry]
  /// The end of the last entry's data.
  let directoryOffset: Int
  /// The size of the whole archive.
  let byteCount: Int

  private static let limit = 0xFFFF_FFFF

  /// Places entries of the given names and sizes one after another.
  init(_ contents: [(name: String, size: Int)]) {
    var entries: [Entry] = []
    var position = 0
    for (name, size) in contents {
      // The padding is an extra field of at least four bytes.
      let least = position + 30 + name.utf8.count + (size >= Self.limit ? 20 : 0) + 4
      let start = (least + 63) / 64 * 64
      entries.append(Entry(name: name, size: size, headerOffset: position, dataOffset: start))
      position = start + size
    }
    self.entries = entries
    directoryOffset = position
    byteCount = position + Self.directory(entries, at: position, crcs: nil).count
  }

  /// The local header of entry `index`, up to its data.
  func header(_ index: Int, crc: UInt32) -> [UInt8] {
    let entry = entries[index]
    let isLarge = entry.size >= Self.limit
    var bytes: [UInt8] = []
    bytes.append(0x0403_4B50, count: 4)
    Self.appendCommon(&bytes, isLarge, crc: crc, entry.size)
    bytes.append(entry.name.utf8.count, count: 2)
    let fixed = 30 + entry.name.utf8.count
    let extra = entry.dataOffset - entry.headerOffset - fixed
    bytes.append(extra, count: 2)
    bytes += entry.name.utf8
    if isLarge {
      bytes.append(1, count: 2)
      bytes.append(16, count: 2)
      bytes.append(entry.size, count: 8)
      bytes.append(entry.size, count: 8)
    }
    let padding = extra - (isLarge ? 20 : 0) - 4
    bytes += [0x46, 0x42]  // "FB", PyTorch's padding
    bytes.append(padding, count: 2)
    bytes += Array(repeating: 0x5A, count: padding)
    return bytes
  }

  /// The directory and the records after it.
  func directory(crcs: [UInt32]) -> [UInt8] {
    Self.directory(entries, at: directoryOffset, crcs: crcs)
  }

  private static func directory(_ entries: [Entry], at offset: Int, crcs: [UInt32]?) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(entries.count * 80)
    for (index, entry) in entries.enumerated() {
      var extra: [UInt8] = []
      if entry.size >= limit {
        extra.append(entry.size, count: 8)
        extra.append(entry.size, count: 8)
      }
      if entry.headerOffset >= limit { extra.append(entry.headerOffset, count: 8) }
      bytes.append(0x0201_4B50, count: 4)
      bytes.append(extra.isEmpty ? 20 : 45, count: 2)
      appendCommon(&bytes, !extra.isEmpty, crc: crcs?[index] ?? 0, entry.size)
      bytes.append(entry.name.utf8.count, count: 2)
      bytes.append(extra.isEmpty ? 0 : extra.count + 4, count: 2)
      bytes.append(0, count: 10)  // comment, disk, attributes
      bytes.append(min(entry.headerOffset, limit), count: 4)
      bytes += entry.name.utf8
      if !extra.isEmpty {
        bytes.append(1, count: 2)
        bytes.append(extra.count, count: 2)
        bytes += extra
      }
    }
    appendEnd(&bytes, entryCount: entries.count, offset: offset)
    return bytes
  }

  /// The fields that local headers and the directory have in common, from version to sizes.
  private static func appendCommon(
    _ bytes: inout [UInt8], _ isLarge: Bool, crc: UInt32, _ size: Int
  ) {
    bytes.append(isLarge ? 45 : 20, count: 2)
    bytes.append(0x0800, count: 2)  // names are UTF-8
    bytes.append(0, count: 2)  // stored
    bytes.append(0, count: 2)  // midnight
    bytes.append(0x0021, count: 2)  // the first day that can be written
    bytes.append(Int(crc), count: 4)
    bytes.append(min(size, limit), count: 4)
    bytes.append(min(size, limit), count: 4)
  }

  private static func appendEnd(_ bytes: inout [UInt8], entryCount: Int, offset: Int) {
    let size = bytes.count
    if entryCount >= 0xFFFF || size >= limit || offset >= limit {
      bytes.append(0x0606_4B50, count: 4)
      bytes.append(44, count: 8)
      bytes.append(45, count: 2)
      bytes.append(45, count: 2)
      bytes.append(0, count: 8)  // disks
      bytes.append(entryCount, count: 8)
      bytes.append(entryCount, count: 8)
      bytes.append(size, count: 8)
      bytes.append(offset, count: 8)
      bytes.append(0x0706_4B50, count: 4)
      bytes.append(0, count: 4)
      bytes.append(offset + size, count: 8)
      bytes.append(1, count: 4)
    }
    bytes.append(0x0605_4B50, count: 4)
    bytes.append(0, count: 4)  // disks
    bytes.append(min(entryCount, 0xFFFF), count: 2)
    bytes.append(min(entryCount, 0xFFFF), count: 2)
    bytes.append(min(size, limit), count: 4)
    bytes.append(min(offset, limit), count: 4)
    bytes.append(0, count: 2)  // comment
  }
}
