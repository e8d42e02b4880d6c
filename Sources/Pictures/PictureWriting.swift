import CPictures
import CZlib
public import Tensors

extension Picture {
  /// The picture as a PNG file with texts beside it.
  ///
  /// A text is written as Latin-1 if that can hold it, else as UTF-8, as the web UIs write theirs.
  ///
  /// - Parameter texts: by keyword, for example `parameters`; keywords are plain ASCII.
  /// - Returns: the bytes of the file.
  /// - Throws: ``Tensors/Rule/pictureLibrary`` where libpng is not installed.
  public func png(texts: [MetadataEntry] = []) throws(Fault) -> [UInt8] {
    // Noise does not compress; what zlib adds is below a hundredth.
    let raw = (3 * width + 1) * height
    var count = raw + raw / 100 + 65_536
    var file = [UInt8](repeating: 0, count: count)
    var message = [CChar](repeating: 0, count: Int(CP_MESSAGE))
    let code = unsafe cp_png_write(
      pixels, UInt32(width), UInt32(height), &file, &count, &message)
    try Fault.check(code, message, isPNG: true)
    // After the signature and the header, which are 33 bytes.
    let chunks = texts.flatMap { Self.chunk(for: $0) }
    return file[..<33] + chunks + file[33..<count]
  }

  /// Writes the picture as a PNG file that appears whole or not at all.
  ///
  /// - Throws: ``Tensors/Rule/pictureLibrary``, and what writing throws.
  public func writePNG(
    to path: String, texts: [MetadataEntry] = [], replacing: Bool = false
  ) throws(Fault) {
    let bytes = try png(texts: texts)
    let file = try OutputFile(path: path, byteCount: bytes.count, replacing: replacing)
    unsafe try file.write(bytes.span.bytes, at: 0)
    try file.commit()
  }

  /// A chunk `tEXt`, or `iTXt` for what is not Latin-1.
  ///
  /// Source: PNG (third edition), 11.3.3.
  private static func chunk(for entry: MetadataEntry) -> [UInt8] {
    let scalars = entry.value.unicodeScalars
    let isLatin = scalars.allSatisfy { $0.value < 256 && $0.value != 0 }
    var data = Array(entry.key.utf8) + [0]
    if isLatin {
      data += scalars.map { UInt8($0.value) }
    } else {
      // Not compressed; no language, no translated keyword.
      data += [0, 0, 0, 0] + Array(entry.value.utf8)
    }
    let typed = Array((isLatin ? "tEXt" : "iTXt").utf8) + data
    let sum = unsafe typed.withUnsafeBufferPointer {
      unsafe crc32(0, $0.baseAddress, uInt($0.count))
    }
    return bigEndian(data.count) + typed + bigEndian(Int(sum))
  }

  private static func bigEndian(_ value: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
  }
}
