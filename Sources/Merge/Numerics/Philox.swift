package import Tensors

/// Random numbers as a function of seed, tensor name, model and position.
///
/// Each four numbers are a block of Philox4x32-10 with the seed as key. Nothing is carried from one
/// number to the next, so any chunk of a tensor can be computed anywhere, and two tensors of one
/// shape get different numbers.
///
/// The counter is the position of the block (48 bits), the model (16 bits) and the FNV-1a hash of
/// the tensor's name (64 bits).
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
    numbers = philox(counter, key: key)
  }

  /// The 64-bit FNV-1a hash of a name's bytes.
  static func hash(_ name: TensorName) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  private static func halves(_ value: UInt64) -> SIMD2<UInt32> {
    SIMD2(UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32))
  }
}
