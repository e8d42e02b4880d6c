import CZlib
import Synchronization
import Tensors

/// The check sums of contents that arrive in pieces, in any order and from any thread.
final class ChecksumLedger: Sendable {
  private struct Piece {
    let start: Int
    var end: Int
    var crc: UInt
  }

  /// For each of the contents the pieces so far; neighbours are joined.
  private let pieces: Mutex<[[Piece]]>

  /// A ledger for `count` contents.
  init(count: Int) { pieces = Mutex(Array(repeating: [], count: count)) }

  /// Takes note of `bytes`, which lie at `offset` of contents `index`.
  func add(_ index: Int, at offset: Int, _ bytes: RawSpan) {
    guard bytes.byteCount > 0 else { return }
    let piece = Piece(start: offset, end: offset + bytes.byteCount, crc: UInt(Self.crc(bytes)))
    pieces.withLock { pieces in
      if let last = pieces[index].last, last.end == offset {
        let count = pieces[index].count - 1
        pieces[index][count] = Self.joined(last, piece)
      } else {
        pieces[index].append(piece)
      }
    }
  }

  /// The CRC-32 of `bytes`.
  static func crc(_ bytes: RawSpan) -> UInt32 {
    unsafe bytes.withUnsafeBytes { buffer in
      UInt32(
        truncatingIfNeeded: unsafe crc32_z(
          0, buffer.baseAddress?.assumingMemoryBound(to: Bytef.self), buffer.count))
    }
  }

  /// The CRC-32 of contents `index`, or `nil` unless each of its `byteCount` bytes was added once.
  func crc(of index: Int, byteCount: Int) -> UInt32? {
    let sorted = pieces.withLock { $0[index] }.sorted { $0.start < $1.start }
    var whole = Piece(start: 0, end: 0, crc: 0)
    for piece in sorted {
      guard piece.start == whole.end else { return nil }
      whole = Self.joined(whole, piece)
    }
    return whole.end == byteCount ? UInt32(truncatingIfNeeded: whole.crc) : nil
  }

  private static func joined(_ first: Piece, _ second: Piece) -> Piece {
    Piece(
      start: first.start, end: second.end,
      crc: crc32_combine(first.crc, second.crc, second.end - second.start))
  }
}
