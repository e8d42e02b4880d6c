package import Tensors

/// Random numbers as a function of seed, tensor name, model and position.
///
/// Philox4x32-10: a block of four numbers is a counter put through ten rounds with the seed as
/// key. Nothing is carried from one number to the next, so any chunk of a tensor can be computed
/// anywhere, and two tensors of one shape get different numbers.
///
/// The counter is the position of the block (48 bits), the model (16 bits) and the FNV-1a hash of
/// the tensor's name (64 bits).
///
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
package struct Philox: Sendable {
  private let key: SIMD2<UInt32>
  private let name: SIMD2<UInt32>
  private let model: UInt32
  private var block = -1
  private var numbers = SIMD4<UInt32>.zero

  /// The numbers of one tensor of one model.
  package init(seed: UInt64, tensor: TensorName, model: Int) {
    key = Self.halves(seed)
    name = Self.halves(Self.hash(tensor))
    self.model = UInt32(truncatingIfNeeded: model) << 16
  }

  /// A number in 0..<1, a multiple of 2⁻²⁴, that belongs to the value at `index`.
  @inline(__always)
  package mutating func uniform(_ index: Int) -> Float {
    if index >> 2 != block { fetch(index >> 2) }
    return Float(numbers[index & 3] >> 8) * 0x1p-24
  }

  /// Computes the four numbers of a block.
  private mutating func fetch(_ index: Int) {
    block = index
    let position = Self.halves(UInt64(truncatingIfNeeded: index))
    let counter = SIMD4(position.x, position.y & 0xFFFF | model, name.x, name.y)
    numbers = Self.block(counter, key: key)
  }

  /// Ten rounds over one counter.
  package static func block(_ counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (x, y, z, w) = (counter.x, counter.y, counter.z, counter.w)
    var (first, second) = (key.x, key.y)
    for _ in 0..<10 {
      let left = UInt64(x) &* 0xD251_1F53
      let right = UInt64(z) &* 0xCD9E_8D57
      x = UInt32(truncatingIfNeeded: right >> 32) ^ y ^ first
      y = UInt32(truncatingIfNeeded: right)
      z = UInt32(truncatingIfNeeded: left >> 32) ^ w ^ second
      w = UInt32(truncatingIfNeeded: left)
      first &+= 0x9E37_79B9
      second &+= 0xBB67_AE85
    }
    return SIMD4(x, y, z, w)
  }

  /// The 64-bit FNV-1a hash of a name's bytes.
  static func hash(_ name: TensorName) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  private static func halves(_ value: UInt64) -> SIMD2<UInt32> {
    SIMD2(UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32))
  }
}
