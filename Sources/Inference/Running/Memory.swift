import CForward
import Tensors

/// Memory of one activation or weight; freed, or given back, with its owner.
@safe final class Memory {
  let byteCount: Int
  /// `nil` where a pass is only planned.
  let base: UnsafeMutableRawPointer?
  private let arena: Arena

  init(_ byteCount: Int, _ base: UnsafeMutableRawPointer?, _ arena: Arena) {
    self.byteCount = byteCount
    unsafe self.base = base
    self.arena = arena
  }

  deinit { unsafe arena.take(back: base, byteCount) }
}

/// Memory that activations use one after another.
///
/// Not for several threads at once.
@safe final class Arena {
  /// The bytes in use now, and the most there were since ``restart()``.
  private(set) var used = 0
  private(set) var peak = 0
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
    guard !isPlanned else { return unsafe Memory(rounded, nil, self) }
    if let match = unsafe idle.lastIndex(where: { unsafe $0.byteCount == rounded }) {
      let block = unsafe idle.remove(at: match)
      idleBytes -= rounded
      return unsafe Memory(rounded, block.base, self)
    }
    // Nothing fits: what is idle is of no use for now.
    if idleBytes > used / 4 { release() }
    guard let base = unsafe cf_allocate(rounded) else {
      used -= rounded
      throw .noMemory(rounded)
    }
    return unsafe Memory(rounded, base, self)
  }

  fileprivate func take(back base: UnsafeMutableRawPointer?, _ byteCount: Int) {
    used -= byteCount
    guard let base = unsafe base else { return }
    unsafe idle.append((base, byteCount))
    idleBytes += byteCount
  }

  /// Gives idle memory back to the operating system.
  func release() {
    while let block = unsafe idle.popLast() { unsafe cf_free(block.base, block.byteCount) }
    idleBytes = 0
  }
}
