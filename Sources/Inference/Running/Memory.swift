import CForward
import Tensors

/// Memory of one activation or weight; freed, or given back, with its owner.
@safe final class Memory {
  let byteCount: Int
  /// The bytes there is room for; more where larger memory was used again.
  private let capacity: Int
  /// `nil` where a pass is only planned.
  let base: UnsafeMutableRawPointer?
  private let arena: Arena

  init(_ byteCount: Int, _ base: UnsafeMutableRawPointer?, capacity: Int, _ arena: Arena) {
    self.byteCount = byteCount
    self.capacity = capacity
    unsafe self.base = base
    self.arena = arena
  }

  deinit { unsafe arena.take(back: base, byteCount, capacity: capacity) }
}

/// Memory that activations use one after another.
///
/// Not for several threads at once.
@safe final class Arena {
  /// The bytes in use now, and the most there were since ``restart()``.
  private(set) var used = 0
  private(set) var peak = 0
  /// The bytes that may be held, used or idle, as long as not more are used.
  var limit = 0
  /// What was given back, the latest last.
  private var idle: [(base: UnsafeMutableRawPointer, byteCount: Int)] = unsafe []
  private var idleBytes = 0

  deinit { release() }

  /// Forgets the peak so far.
  func restart() { peak = used }

  /// Room for `byteCount` bytes; without memory if only planned.
  func memory(_ byteCount: Int, isPlanned: Bool) throws(Fault) -> Memory {
    // Few sizes, so that what was given back fits again.
    let rounded = max(64, (byteCount + 63) / 64 * 64)
    used += rounded
    peak = max(peak, used)
    guard !isPlanned else { return unsafe Memory(rounded, nil, capacity: 0, self) }
    // Fresh memory costs more than what is computed with it, so what was given back is used again.
    // The smallest that fits; of equals, the last one used.
    var best: Int?
    for index in unsafe idle.indices {
      let size = unsafe idle[index].byteCount
      guard size >= rounded, size <= 2 * rounded else { continue }
      if let other = best, unsafe idle[other].byteCount < size { continue }
      best = index
    }
    if let best {
      let block = unsafe idle.remove(at: best)
      idleBytes -= unsafe block.byteCount
      return unsafe Memory(rounded, block.base, capacity: block.byteCount, self)
    }
    while idleBytes > 0, used + idleBytes > limit { releaseOldest() }
    guard let base = unsafe cf_allocate(rounded) else {
      used -= rounded
      throw .noMemory(rounded)
    }
    return unsafe Memory(rounded, base, capacity: rounded, self)
  }

  fileprivate func take(back base: UnsafeMutableRawPointer?, _ byteCount: Int, capacity: Int) {
    used -= byteCount
    guard let base = unsafe base else { return }
    unsafe idle.append((base, capacity))
    idleBytes += capacity
  }

  /// Gives idle memory back to the operating system.
  func release() {
    while idleBytes > 0 { releaseOldest() }
  }

  private func releaseOldest() {
    let block = unsafe idle.removeFirst()
    idleBytes -= unsafe block.byteCount
    unsafe cf_free(block.base, block.byteCount)
  }
}
