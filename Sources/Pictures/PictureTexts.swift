import CZlib
public import Tensors

/// What a PNG file says beside its pixels.
public struct PictureTexts: Hashable, Sendable {
  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// The texts by keyword, in the order of the file, for example `parameters`.
  public let entries: [MetadataEntry]

  /// The most bytes of a text that is stored compressed.
  private static let longest = 1 << 22

  /// Whether a file begins as PNG files do.
  public static func isPNG(path: String) -> Bool {
    guard let file = try? InputFile(path: path), file.byteCount >= 8,
      let bytes = try? file.read(at: 0, count: 8)
    else { return false }
    return bytes == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
  }

  /// Reads the texts of the PNG file at `path`; pixels are not decoded.
  ///
  /// - Throws: ``Tensors/Rule/notAPicture`` for another or a broken file, and what reading throws.
  public init(path: String) throws(Fault) {
    guard Self.isPNG(path: path) else {
      throw Fault(.notAPicture, "is no PNG file", path: path)
    }
    let file = try InputFile(path: path)
    var position = 8
    var size: (Int, Int)?
    var found: [MetadataEntry] = []
    while position + 12 <= file.byteCount {
      let head = try file.read(at: position, count: 8)
      let count = Self.number(head[0..<4])
      let kind = String(decoding: head[4..<8], as: UTF8.self)
      guard count <= file.byteCount - position - 12 else { break }
      let isText = ["tEXt", "zTXt", "iTXt"].contains(kind)
      if kind == "IHDR" || isText && count <= Self.longest {
        let data = try file.read(at: position + 8, count: count)
        let sum = try file.read(at: position + 8 + count, count: 4)
        guard Self.checksum(Array(head[4..<8]) + data) == Self.number(sum[...]) else {
          throw Fault(
            .notAPicture, "is a broken PNG file (the sum of \(kind) is wrong)", path: path)
        }
        if kind == "IHDR", count >= 8 {
          size = (Self.number(data[0..<4]), Self.number(data[4..<8]))
        } else if let entry = Self.entry(kind, data) {
          found.append(entry)
        }
      }
      position += 12 + count
      if kind == "IEND" { break }
    }
    guard let size else {
      throw Fault(.notAPicture, "is a broken PNG file (it has no header)", path: path)
    }
    try file.checkUnchanged()
    (width, height) = size
    entries = found
  }

  /// The text `keyword`.
  public subscript(keyword: String) -> String? { entries.first { $0.key == keyword }?.value }

  /// A text chunk.
  ///
  /// Source: PNG (third edition), 11.3.3.
  private static func entry(_ kind: String, _ data: [UInt8]) -> MetadataEntry? {
    guard let end = data.firstIndex(of: 0), end > 0 else { return nil }
    let key = latin(data[..<end])
    var rest = data[(end + 1)...]
    switch kind {
    case "tEXt": return MetadataEntry(key: key, value: latin(rest))
    case "zTXt":
      guard rest.first == 0 else { return nil }
      return inflated(rest.dropFirst()).map { MetadataEntry(key: key, value: latin($0[...])) }
    default:
      guard rest.count >= 2 else { return nil }
      let isCompressed = rest[rest.startIndex] == 1
      rest = rest.dropFirst(2)
      // A language and the keyword in it.
      for _ in 0..<2 {
        guard let end = rest.firstIndex(of: 0) else { return nil }
        rest = rest[(end + 1)...]
      }
      guard let bytes = isCompressed ? inflated(rest) : Array(rest) else { return nil }
      return MetadataEntry(key: key, value: String(decoding: bytes, as: UTF8.self))
    }
  }

  private static func latin(_ bytes: ArraySlice<UInt8>) -> String {
    var text = ""
    text.unicodeScalars.append(contentsOf: bytes.map { UnicodeScalar($0) })
    return text
  }

  private static func inflated(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
    var result = [UInt8](repeating: 0, count: longest)
    var count = uLongf(result.count)
    let source = Array(bytes)
    guard unsafe uncompress(&result, &count, source, uLong(source.count)) == Z_OK else {
      return nil
    }
    return Array(result[..<Int(count)])
  }

  private static func checksum(_ bytes: [UInt8]) -> Int {
    Int(unsafe bytes.withUnsafeBufferPointer { unsafe crc32(0, $0.baseAddress, uInt($0.count)) })
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reduce(0) { $0 << 8 | Int($1) }
  }
}
