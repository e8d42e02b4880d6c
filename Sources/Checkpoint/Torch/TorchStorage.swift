import Tensors

/// The bytes of one storage, wherever they lie.
struct TorchStorage: Sendable {
  enum Location: Sendable {
    /// In a file, as they are.
    case file(InputFile, offset: Int)
    /// In a zip entry, compressed.
    case deflated(ZipEntry, InflaterPool)
    /// Taken out of the pickle.
    case memory([UInt8])
  }

  let location: Location
  let byteCount: Int

  /// The header of the compressed zip entry that it is, if it is one.
  var entryOffset: Int? {
    guard case .deflated(let entry, _) = location else { return nil }
    return entry.headerOffset
  }

  /// Fills `output` with the bytes from `offset`.
  func read(at offset: Int, into output: UnsafeMutableRawBufferPointer) throws(Fault) {
    guard unsafe !output.isEmpty else { return }
    switch location {
    case .file(let file, let start):
      var span = unsafe MutableRawSpan(_unsafeBytes: output)
      try file.read(at: start + offset, into: &span)
    case .deflated(let entry, let pool):
      try unsafe pool.read(entry, at: offset, into: output)
    case .memory(let bytes):
      unsafe output.copyBytes(from: bytes[offset..<offset + output.count])
    }
  }
}
