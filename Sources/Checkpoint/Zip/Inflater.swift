import CZlib
import Tensors

/// A deflated entry being expanded from front to back, in bounded memory.
///
/// For one thread at a time; ``InflaterPool`` hands it out.
@safe final class Inflater: @unchecked Sendable {
  let entry: ZipEntry
  /// The bytes expanded so far.
  private(set) var position = 0

  private let file: InputFile
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutableRawBufferPointer
  private var readOffset: Int
  private var crc: UInt = 0

  /// Begins at the start of `entry`.
  init(_ file: InputFile, _ entry: ZipEntry) throws(Fault) {
    self.file = file
    self.entry = entry
    readOffset = entry.dataOffset
    unsafe input = .allocate(byteCount: 1 << 16, alignment: 64)
    // zlib keeps a pointer to the stream, so it must not move.
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let size = Int32(unsafe MemoryLayout<z_stream>.size)
    guard unsafe inflateInit2_(stream, -MAX_WBITS, ZLIB_VERSION, size) == Z_OK else {
      throw Fault(.fileOperation, "cannot begin to expand: not enough memory", path: file.path)
    }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
    unsafe input.deallocate()
  }

  /// Expands the next bytes into all of `output`.
  ///
  /// - Throws: ``Rule/deflateStream``, ``Rule/deflateSize``, and ``Rule/checksum`` at the end.
  func read(into output: UnsafeMutableRawBufferPointer) throws(Fault) {
    var done = 0
    while done < output.count {
      let room = min(output.count - done, 1 << 30)
      let produced = unsafe try step(
        UnsafeMutableRawBufferPointer(rebasing: output[done..<done + room]))
      done += produced
      guard produced > 0 || !isEnded else {
        throw Fault(
          .deflateSize, "has the entry '\(entry.name)' that expands to fewer bytes than stated",
          path: file.path, offset: entry.dataOffset, expected: "\(entry.size)",
          found: "\(position)")
      }
    }
    if position == entry.size { try finish() }
  }

  private var isEnded = false

  /// Expands at most `output.count` bytes; the number of bytes made.
  private func step(_ output: UnsafeMutableRawBufferPointer) throws(Fault) -> Int {
    if isEnded { return 0 }
    if unsafe stream.pointee.avail_in == 0, readOffset < entry.dataEnd {
      let count = unsafe min(entry.dataEnd - readOffset, input.count)
      var bytes = unsafe MutableRawSpan(_unsafeBytes: input[..<count])
      try file.read(at: readOffset, into: &bytes)
      readOffset += count
      unsafe stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: Bytef.self)
      unsafe stream.pointee.avail_in = UInt32(count)
    }
    unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: Bytef.self)
    unsafe stream.pointee.avail_out = UInt32(output.count)
    let status = unsafe inflate(stream, Z_NO_FLUSH)
    let produced = unsafe output.count - Int(stream.pointee.avail_out)
    if produced > 0 {
      crc = unsafe crc32_z(crc, output.baseAddress?.assumingMemoryBound(to: Bytef.self), produced)
    }
    position += produced
    let isStarved = unsafe stream.pointee.avail_in == 0 && readOffset == entry.dataEnd
    switch status {
    case Z_STREAM_END: isEnded = true
    case Z_OK where produced > 0 || !isStarved: break
    case Z_BUF_ERROR where !isStarved: break
    default:
      throw Fault(
        .deflateStream, "has the entry '\(entry.name)' with damaged compressed bytes",
        path: file.path, offset: readOffset, hint: "the file is damaged; fetch it again")
    }
    return produced
  }

  /// Checks that the stream ends where the contents do.
  private func finish() throws(Fault) {
    var extra: UInt8 = 0
    while !isEnded {
      let produced = unsafe try withUnsafeMutableBytes(of: &extra) { buffer throws(Fault) in
        unsafe try step(buffer)
      }
      guard produced == 0 else {
        throw Fault(
          .deflateSize, "has the entry '\(entry.name)' that expands to more bytes than stated",
          path: file.path, offset: entry.dataOffset, expected: "\(entry.size)",
          found: "at least \(entry.size + 1)")
      }
    }
    guard unsafe stream.pointee.avail_in == 0, readOffset == entry.dataEnd else {
      throw Fault(
        .deflateStream, "has bytes after the compressed bytes of '\(entry.name)'",
        path: file.path, offset: entry.dataOffset)
    }
    try checkSum(UInt32(truncatingIfNeeded: crc), entry, file)
  }
}

/// Compares a computed check sum with the stated one; 0 stands for none.
///
/// - Throws: ``Rule/checksum``.
func checkSum(_ crc: UInt32, _ entry: ZipEntry, _ file: InputFile) throws(Fault) {
  guard entry.crc == 0 || entry.crc == crc else {
    throw Fault(
      .checksum, "has damaged bytes in '\(entry.name)'", path: file.path,
      offset: entry.dataOffset, byteCount: entry.storedSize,
      expected: "CRC-32 " + hexadecimal(Int(entry.crc)), found: hexadecimal(Int(crc)),
      hint: "the file was damaged after it was written; fetch it again")
  }
}
