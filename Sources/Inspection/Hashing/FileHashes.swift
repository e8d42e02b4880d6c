import CZlib
import Crypto
import SafeTensors
public import Tensors

/// The hashes by which the world knows a model file.
///
///     let hashes = try FileHashes(of: InputFile(path: "model.safetensors"), width: 2)
///     hashes.autoV2   // "6ce0161689"
///
/// Sources: AUTOMATIC1111/stable-diffusion-webui `sd_models.py`, the Civitai API.
public struct FileHashes: Hashable, Sendable {
  /// The file's length.
  public let byteCount: Int
  /// SHA-256 of the whole file; changes when a text in the header does.
  public let sha256: Digest
  /// SHA-256 of all that follows a safetensors header, whatever the header says; `nil` for other
  /// files.
  public let dataSHA256: Digest?
  /// SHA-256 of the 64 KiB after the first MiB.
  public let windowSHA256: Digest
  /// The CRC-32 that zip and Civitai use.
  public let crc32: UInt32

  /// The eight digits of the first web UI; the same for many merged models, and for all files
  /// below 1 MiB (``isWindowEmpty``).
  public var autoV1: String { windowSHA256.hexadecimal(4) }
  /// The ten digits that the web UI shows.
  public var autoV2: String { sha256.hexadecimal(5) }
  /// The twelve digits that the web UI gives a LoRA, or `nil` for other files than safetensors.
  public var autoV3: String? { dataSHA256?.hexadecimal(6) }
  /// `modelspec.hash_sha256` as it should be, or `nil` for other files than safetensors.
  public var modelSpec: String? { dataSHA256.map { "0x\($0)" } }
  /// Whether the file is too short for ``autoV1`` to say anything about it.
  public var isWindowEmpty: Bool { byteCount <= Self.window.lowerBound }

  static let window = 0x100000..<0x110000

  /// Reads the file, on two threads if `width` allows, and checks that it did not change.
  public init(of file: InputFile, width: Int) throws(Fault) {
    let dataOffset = (try? SafeTensorsFile(file))?.dataOffset
    // Each thread hashes one stream and takes half of the cheaper check sum.
    let middle = file.byteCount / 2
    let streams = [(0, 0..<middle), (dataOffset ?? file.byteCount, middle..<file.byteCount)]
    let parts = Results(repeating: (digest: Digest?.none, crc: UInt(0)), count: 2)
    try forEachIndex(below: 2, width: width) { (index) throws(Fault) in
      let (start, checked) = streams[index]
      var hash = SHA256()
      var crc: UInt = 0
      try file.forEachChunk(in: min(start, checked.lowerBound)..<file.byteCount) { offset, bytes in
        let end = offset + bytes.byteCount
        if end > start { hash.update(bytes.extracting(max(0, start - offset)...)) }
        let common = checked.clamped(to: offset..<end)
        if !common.isEmpty {
          let part = bytes.extracting(common.lowerBound - offset..<common.upperBound - offset)
          crc = unsafe part.withUnsafeBytes {
            unsafe crc32_z(crc, $0.bindMemory(to: UInt8.self).baseAddress, $0.count)
          }
        }
      }
      parts[index] = (Digest(hash), crc)
    }
    var window = SHA256()
    let range = Self.window.clamped(to: 0..<file.byteCount)
    window.update(data: try file.read(at: range.lowerBound, count: range.count))
    try file.checkUnchanged()
    byteCount = file.byteCount
    let values = parts.values
    sha256 = values[0].digest ?? Digest(SHA256())
    dataSHA256 = dataOffset == nil ? nil : values[1].digest
    windowSHA256 = Digest(window)
    crc32 = UInt32(
      truncatingIfNeeded: crc32_combine(values[0].crc, values[1].crc, file.byteCount - middle))
  }
}

extension InputFile {
  /// Reads a range from front to back, in chunks that stay in the second cache.
  func forEachChunk(
    in range: Range<Int>, _ body: (_ offset: Int, _ bytes: RawSpan) throws(Fault) -> Void
  ) throws(Fault) {
    let size = 1 << 18
    let buffer = Buffer(byteCount: size)
    var offset = range.lowerBound
    while offset < range.upperBound {
      var bytes = buffer.bytes(min(size, range.upperBound - offset))
      try read(at: offset, into: &bytes)
      try body(offset, bytes.bytes)
      offset += bytes.byteCount
    }
  }
}
