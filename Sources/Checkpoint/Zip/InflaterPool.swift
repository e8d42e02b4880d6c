import Synchronization
import Tensors

/// Expands parts of deflated entries, and goes on where the last read ended.
///
/// Reading an entry from front to back expands it once; any number of threads may read.
final class InflaterPool: Sendable {
  private let file: InputFile
  /// The inflaters that are not in use, the last used one at the end.
  private let idle = Mutex<[Inflater]>([])
  private static let maximumIdle = 8

  /// A pool for the entries of `file`.
  init(_ file: InputFile) { self.file = file }

  /// Fills `output` with the contents of `entry` from byte `offset`.
  func read(
    _ entry: ZipEntry, at offset: Int, into output: UnsafeMutableRawBufferPointer
  ) throws(Fault) {
    let inflater = try take(entry, at: offset)
    if inflater.position < offset {
      let scratch = Buffer(byteCount: 1 << 18)
      while inflater.position < offset {
        var skipped = scratch.bytes(min(scratch.byteCount, offset - inflater.position))
        try unsafe skipped.withUnsafeMutableBytes { buffer throws(Fault) in
          try unsafe inflater.read(into: buffer)
        }
      }
    }
    try unsafe inflater.read(into: output)
    guard inflater.position < entry.size else { return }
    idle.withLock { idle in
      if idle.count == Self.maximumIdle { idle.removeFirst() }
      idle.append(inflater)
    }
  }

  /// The inflater of `entry` that is nearest before `offset`, or a new one.
  private func take(_ entry: ZipEntry, at offset: Int) throws(Fault) -> Inflater {
    let found = idle.withLock { idle -> Inflater? in
      let candidates = idle.indices.filter {
        idle[$0].entry.headerOffset == entry.headerOffset && idle[$0].position <= offset
      }
      guard let best = candidates.max(by: { idle[$0].position < idle[$1].position }) else {
        return nil
      }
      return idle.remove(at: best)
    }
    if let found { return found }
    return try Inflater(file, entry)
  }
}
