import Tensors

/// A small generator, so that a failing test can be repeated.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// The little-endian bytes of `values`.
func bytes<T: BitwiseCopyable>(of values: [T]) -> [UInt8] {
  unsafe values.withUnsafeBytes { unsafe Array($0) }
}

/// The values whose little-endian bytes are `bytes`.
func values<T: BitwiseCopyable>(_ type: T.Type, _ bytes: [UInt8]) -> [T] {
  let size = MemoryLayout<T>.size
  return stride(from: 0, to: bytes.count, by: size).map { offset in
    unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: offset, as: T.self) }
  }
}

/// `count` random bytes.
func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
  var generator = SplitMix64(state: seed)
  return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
}

extension Conversion {
  /// Converts an array of bytes, on one path, from and to memory at an odd address.
  func converted(_ bytes: [UInt8], path: KernelPath = .best) -> (bytes: [UInt8], overflows: Int) {
    let shifted = [0] + bytes
    let count = bytes.count * target.bitCount / source.bitCount
    var result = [UInt8](repeating: 0xEE, count: count + 2)
    var span = result.mutableSpan
    var raw = unsafe span.mutableBytes
    var middle = raw._mutatingExtracting(1..<count + 1)
    let overflows = unsafe convert(shifted.span.bytes.extracting(1...), into: &middle, path: path)
    precondition(result.first == 0xEE && result.last == 0xEE)
    return (Array(result[1..<count + 1]), overflows)
  }
}
