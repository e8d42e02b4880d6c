import Inspection
import StableDiffusion
import Tensors
import Testing

@Suite("Checks of values")
struct ValueCheckTests {
  private static let conv: TensorName = "model.diffusion_model.input_blocks.0.0.weight"
  private static let norm: TensorName = "model.diffusion_model.out.0.weight"
  private static let bias: TensorName = "model.diffusion_model.input_blocks.0.0.bias"
  private static let positions = KnownExtra.positionIDsName

  private func findings(_ source: PatchedSource, width: Int = 2) throws -> [Fault] {
    try checkValues(of: source, selection: Array(source.tensors.indices), width: width)
  }

  /// The model with the halves of one tensor changed.
  private func patched(
    _ name: TensorName, _ change: (inout [UInt8]) -> Void
  ) throws -> PatchedSource {
    var (info, bytes) = try PatchedSource().original(name)
    change(&bytes)
    return try PatchedSource([name: (info.dtype, info.shape, bytes)])
  }

  @Test("a sound model is quiet")
  func sound() throws {
    #expect(try findings(PatchedSource()).isEmpty)
  }

  @Test(
    "each kind of damage is found in the tensor that has it, by its rule",
    arguments: [
      (0x7E00 as UInt16, "SD101"), (0xFE01, "SD101"), (0x7C00, "SD102"), (0xFC00, "SD102"),
      (0x7BFF, "SD105"),
    ])
  func damage(_ bits: UInt16, _ rule: String) throws {
    let source = try patched(Self.conv) { bytes in
      bytes[6] = UInt8(truncatingIfNeeded: bits)
      bytes[7] = UInt8(truncatingIfNeeded: bits >> 8)
    }
    let found = try findings(source)
    #expect(found.map(\.rule.id) == [rule])
    #expect(found.first?.tensor == Self.conv)
  }

  @Test("all zeros and one value throughout are found in weights, not in biases")
  func constant() throws {
    let zero = try patched(Self.conv) { $0 = [UInt8](repeating: 0, count: $0.count) }
    #expect(try findings(zero).map(\.rule) == [.allZero])
    let same = try patched(Self.conv) { $0 = [UInt8](repeating: 0x2E, count: $0.count) }
    #expect(try findings(same).map(\.rule) == [.constantTensor])
    let norm = try patched(Self.norm) { $0 = [UInt8](repeating: 0, count: $0.count) }
    #expect(try findings(norm).map(\.rule) == [.allZero])
    let bias = try patched(Self.bias) { $0 = [UInt8](repeating: 0, count: $0.count) }
    #expect(try findings(bias).isEmpty)
  }

  @Test("positions that were merged as numbers are named one by one")
  func positions() throws {
    var values = (0..<77).map { Float($0) }
    values[15] = 14.999999
    values[31] = 30.9
    let bytes = values.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
    }
    let source = try PatchedSource([Self.positions: (.f32, [1, 77], bytes)])
    let found = try findings(source)
    #expect(Set(found.map(\.rule)) == [.damagedPositions, .positionsType])
    let damage = try #require(found.first { $0.rule == .damagedPositions })
    #expect(damage.message == "holds wrong values at positions 15, 31")
    #expect(damage.expected == "15 at position 15")
  }

  @Test("fractions that programs cut to the right position are told apart")
  func fractions() throws {
    var values = (0..<77).map { Float($0) }
    values[3] = 3.25
    let bytes = values.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
    }
    let source = try PatchedSource([Self.positions: (.f32, [1, 77], bytes)])
    let damage = try #require(try findings(source).first { $0.rule == .damagedPositions })
    #expect(damage.message == "holds fractions at positions 3")
  }

  @Test("findings do not depend on the number of threads")
  func threads() throws {
    let source = try patched(Self.conv) { $0 = [UInt8](repeating: 0x7E, count: $0.count) }
    #expect(try findings(source, width: 1) == findings(source, width: 7))
  }
}
