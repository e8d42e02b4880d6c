import Tensors

/// One entry of a zip archive, as directory and local header agree about it.
struct ZipEntry: Sendable {
  let name: TensorName
  let isDeflated: Bool
  /// The check sum of the contents; 0 when the writer left it out.
  let crc: UInt32
  /// The bytes in the file.
  let storedSize: Int
  /// The bytes of the contents.
  let size: Int
  let headerOffset: Int
  /// Where the stored bytes begin.
  let dataOffset: Int

  /// The end of the stored bytes.
  var dataEnd: Int { dataOffset + storedSize }
}

/// One record of a zip directory.
///
/// Source: PKWARE APPNOTE 6.3.10, section 4.3.12.
struct ZipDirectoryRecord {
  let name: TensorName
  let nameBytes: ArraySlice<UInt8>
  let flags: Int
  let method: Int
  let crc: Int
  let storedSize: Int
  let size: Int
  let headerOffset: Int
  /// Where the record lies in the file.
  let position: Int

  /// The bytes before name, extra fields and comment.
  static let fixedSize = 46

  /// Reads the record at `start` of `directory`, which lies at `base`, and moves `start` behind it.
  ///
  /// - Throws: ``Rule/zipDirectory``, ``Rule/zipEntryName``, ``Rule/zipMethod``.
  init(_ directory: [UInt8], at start: inout Int, base: Int) throws(Fault) {
    position = base + start
    let damaged = Fault(
      .zipDirectory, "has a damaged record in its directory", offset: position,
      hint: "the file is damaged; fetch it again")
    guard directory.count - start >= Self.fixedSize, directory.u32(start) == 0x0201_4B50 else {
      throw damaged
    }
    let nameEnd = start + Self.fixedSize + directory.u16(start + 28)
    let extraEnd = nameEnd + directory.u16(start + 30)
    let end = extraEnd + directory.u16(start + 32)
    guard end <= directory.count else { throw damaged }
    nameBytes = directory[start + Self.fixedSize..<nameEnd]
    name = try Self.checkedName(nameBytes, mode: directory.u32(start + 38) >> 16, position)
    flags = directory.u16(start + 8)
    method = directory.u16(start + 10)
    // Encrypted, patched, strongly encrypted, hidden.
    guard flags & 0x2061 == 0 else {
      throw Fault(.zipMethod, "has the encrypted entry '\(name)'", offset: position)
    }
    guard method == 0 || method == 8 else {
      throw Fault(
        .zipMethod, "has an entry '\(name)' with an unsupported compression", offset: position,
        expected: "0 (stored) or 8 (deflated)", found: "\(method)")
    }
    crc = directory.u32(start + 16)
    var sizes = [
      directory.u32(start + 24), directory.u32(start + 20), directory.u32(start + 42),
    ]
    guard directory.u16(start + 34) == 0 || directory.u16(start + 34) == 0xFFFF,
      ZipExtra.widen(&sizes, directory, nameEnd..<extraEnd)
    else { throw damaged }
    (size, storedSize, headerOffset) = (sizes[0], sizes[1], sizes[2])
    guard method == 8 || size == storedSize else {
      throw Fault(
        .zipDirectory, "gives two sizes for the stored entry '\(name)'", offset: position,
        expected: "\(storedSize)", found: "\(size)")
    }
    // Deflate cannot do better than 1,032 to 1.
    guard method == 0 || size <= 1 << 20 || size / 1032 <= storedSize else {
      throw Fault(
        .deflateSize, "states a size for '\(name)' that its bytes cannot expand to",
        offset: position, expected: "at most 1,032 times \(storedSize)", found: "\(size)")
    }
    start = end
  }

  /// The name, if it is a plain path.
  private static func checkedName(
    _ bytes: ArraySlice<UInt8>, mode: Int, _ position: Int
  ) throws(Fault) -> TensorName {
    func bad(_ what: String) -> Fault {
      Fault(
        .zipEntryName, "has an entry whose name \(what)", offset: position,
        hint: "the file was not written by PyTorch; do not unpack it")
    }
    guard !bytes.isEmpty else { throw bad("is empty") }
    guard isUTF8(bytes.span) else { throw bad("is not UTF-8") }
    let name = String(decoding: bytes, as: UTF8.self)
    guard bytes.first != 0x2F else { throw bad("is absolute ('\(name)')") }
    guard !bytes.contains(where: { $0 == 0x5C || $0 == 0 }) else {
      throw bad("has a backslash or NUL in it")
    }
    guard
      !bytes.split(separator: 0x2F, omittingEmptySubsequences: false)
        .contains(where: { $0.elementsEqual([0x2E, 0x2E]) })
    else { throw bad("leads out of the archive ('\(name)')") }
    guard mode & 0xF000 != 0xA000 else { throw bad("stands for a symbolic link ('\(name)')") }
    return TensorName(name)
  }
}

/// The extra fields of zip headers.
enum ZipExtra {
  /// Replaces saturated numbers in `values` by those of the zip64 field in `range` of `bytes`.
  ///
  /// - Returns: whether the fields are well-formed and all numbers known.
  static func widen(_ values: inout [Int], _ bytes: [UInt8], _ range: Range<Int>) -> Bool {
    var field = range.lowerBound
    while range.upperBound - field >= 4 {
      let identifier = bytes.u16(field)
      let end = field + 4 + bytes.u16(field + 2)
      guard end <= range.upperBound else { return false }
      if identifier == 1 {
        var position = field + 4
        for index in values.indices where values[index] == 0xFFFF_FFFF {
          guard position + 8 <= end, let value = Int(exactly: bytes.u64(position)) else {
            return false
          }
          values[index] = value
          position += 8
        }
        return true
      }
      field = end
    }
    return true
  }
}
