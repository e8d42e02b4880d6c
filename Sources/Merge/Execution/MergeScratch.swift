import Synchronization
import Tensors

/// The memory in which one thread computes one piece of a tensor after another.
///
/// For one thread at a time; ``MergeScratchPool`` hands it out.
@safe final class MergeScratch: @unchecked Sendable {
  /// The most values computed at once: with few operands they stay in the second cache.
  static let elementCount = 1 << 16

  /// The stored values of each operand.
  let stored: [Buffer]
  /// The same values as single-precision numbers.
  let singles: [Buffer]
  /// The result as single-precision numbers.
  let result: Buffer

  init(operands: Int) {
    stored = (0..<operands).map { _ in Buffer(byteCount: Self.elementCount * 8) }
    singles = (0..<operands).map { _ in Buffer(byteCount: Self.elementCount * 4) }
    result = Buffer(byteCount: Self.elementCount * 4)
  }

  /// The memory that one takes.
  static func byteCount(operands: Int) -> Int { (operands * 12 + 4) * elementCount }
}

/// Memory for as many threads as ask for it at once.
final class MergeScratchPool: Sendable {
  private let operands: Int
  private let idle = Mutex<[MergeScratch]>([])

  /// Memory for tensors that are computed from up to `operands` others.
  init(operands: Int) { self.operands = operands }

  /// Calls `body` with memory of its own.
  func withScratch<Result, Failure: Error>(
    _ body: (MergeScratch) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let scratch = idle.withLock { $0.popLast() } ?? MergeScratch(operands: operands)
    defer { idle.withLock { $0.append(scratch) } }
    return try body(scratch)
  }
}

extension Buffer {
  /// Calls `body` with the first `count` single-precision numbers, to write to.
  func withSingles<Result>(_ count: Int, _ body: (inout MutableSpan<Float>) -> Result) -> Result {
    var bytes = bytes(count * MemoryLayout<Float>.size)
    return unsafe bytes.withUnsafeMutableBytes { memory in
      var span = unsafe MutableSpan<Float>(_unsafeBytes: memory)
      return body(&span)
    }
  }
}
