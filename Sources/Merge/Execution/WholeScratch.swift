import Dispatch
import Synchronization
import Tensors

/// The memory in which one thread computes one whole tensor after another.
///
/// Fresh memory is slow when it is touched for the first time, so that it is used again and again.
/// It is allocated for the largest tensor at once: what is never touched takes no room.
@safe final class WholeScratch: @unchecked Sendable {
  /// The values of each operand as single-precision numbers.
  let singles: [Buffer]
  /// The result as single-precision numbers, and room for one operand more.
  let result: Buffer
  let spare: Buffer

  init(operands: Int, elements: Int) {
    singles = (0..<operands).map { _ in Buffer(byteCount: max(1, elements * 4)) }
    result = Buffer(byteCount: max(1, elements * 4))
    spare = Buffer(byteCount: max(1, elements * 4))
  }
}

/// Memory for whole tensors, for as many threads as may compute at once.
final class WholeScratchPool: Sendable {
  /// A buffer that nobody uses.
  @safe private struct Idle: @unchecked Sendable { let buffer: Buffer }

  private let operands: Int
  private let elements: Int
  private let slots: DispatchSemaphore
  private let idle = Mutex<[WholeScratch]>([])
  private let results = Mutex<[Idle]>([])

  /// Memory for tensors of at most `elements` values, on `width` threads.
  init(operands: Int, elements: Int, width: Int) {
    self.operands = operands
    self.elements = elements
    slots = DispatchSemaphore(value: max(1, width))
  }

  /// Calls `body` with memory of its own, as soon as there is some.
  func withScratch<Result, Failure: Error>(
    _ body: (WholeScratch) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    slots.wait()
    let scratch =
      idle.withLock { $0.popLast() } ?? WholeScratch(operands: operands, elements: elements)
    defer {
      idle.withLock { $0.append(scratch) }
      slots.signal()
    }
    return try body(scratch)
  }

  /// Room for the bytes of a result.
  func resultBuffer() -> Buffer {
    results.withLock { $0.popLast() }?.buffer ?? Buffer(byteCount: max(1, elements * 4))
  }

  /// Takes back what ``resultBuffer()`` gave.
  func recycle(_ buffer: Buffer) {
    let buffer = Idle(buffer: buffer)
    results.withLock { $0.append(buffer) }
  }
}
