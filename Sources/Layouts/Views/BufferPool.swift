import Synchronization
import Tensors

/// Buffers of one size that threads take, use and give back.
///
/// The first touch of fresh memory costs more than converting what is put there, so few buffers
/// are made and all are used again.
final class BufferPool: Sendable {
  /// The room in each buffer, in bytes.
  let byteCount: Int

  /// A buffer between two uses: it has no owner, so it may go to any thread.
  private struct Idle: @unchecked Sendable { let buffer: Buffer }

  private let idle = Mutex<[Idle]>([])

  /// A pool of buffers with room for `byteCount` bytes each.
  init(byteCount: Int) { self.byteCount = byteCount }

  /// Calls `body` with a buffer that nobody else uses meanwhile.
  func withBuffer(_ body: (Buffer) throws(Fault) -> Void) throws(Fault) {
    let taken = idle.withLock { $0.popLast() } ?? Idle(buffer: Buffer(byteCount: byteCount))
    defer { idle.withLock { $0.append(taken) } }
    try body(taken.buffer)
  }
}
