import Merge
import Tensors
import Testing

@Suite("The fast loops of linear merges")
struct ExecutionKernelTests {
  static let sources: [DType] = [.f16, .bf16, .f32, .f8E4M3, .f8E5M2, .f8E4M3FNUZ, .f8E5M2FNUZ]
  static let targets: [DType] = [.f16, .bf16, .f32]

  @Test(
    "every path gives the bits of the method's definition", arguments: sources, targets)
  func definition(first: DType, target: DType) throws {
    for second in Self.sources {
      for (formula, name) in [
        (LinearMerge.Formula.weightedSum, "weighted-sum"), (.addDifference, "add-difference"),
      ] {
        let third: DType = second == .f32 ? .f16 : first
        let types = Array([first, second, third].prefix(formula.operandCount))
        for weight in [0.3, 0.5, 0.7, -0.25, 1.75, 1e-9] {
          for arithmetic in [Arithmetic.exact, .lerp] {
            try check(formula, name, types, target, weight, arithmetic)
          }
        }
      }
    }
  }

  private func check(
    _ formula: LinearMerge.Formula, _ name: String, _ types: [DType], _ target: DType,
    _ weight: Double, _ arithmetic: Arithmetic
  ) throws {
    // Not a multiple of the vectors' length, so that the ends are computed too.
    let count = 16 * 40 + 7
    let stored = try types.enumerated().map { index, type in
      try Self.stored(count, seed: UInt64(index + 1), as: type)
    }
    let method = try MergeMethods.named(name)
    var settings = MergeSettings(defaultsOf: method)
    settings.alpha = weight
    settings.arithmetic = arithmetic
    let wide = try zip(stored, types).map { bytes, type in
      try floats(Self.converted(bytes, from: type, to: .f32))
    }
    var operands: [Buffer] = []
    for values in wide {
      let buffer = Buffer(byteCount: count * 4)
      var bytes = buffer.bytes(count * 4)
      for (index, value) in values.enumerated() {
        bytes.storeBytes(of: value, toByteOffset: index * 4, as: Float.self)
      }
      operands.append(buffer)
    }
    let result = method.result(
      Operands(operands, dtypes: types, elementCount: count),
      MergedTensor(name: "weight", shape: [count], output: target), settings)
    let expected = try Self.converted(
      result.flatMap { value in
        (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
      }, from: .f32, to: target)
    let linear = try #require(
      LinearMerge(
        formula, from: types, to: target, weight: weight, usesSingles: arithmetic == .lerp))
    for path in KernelPath.available {
      var output = [UInt8](repeating: 0, count: count * target.bitCount / 8)
      var span = output.mutableSpan
      var bytes = unsafe span.mutableBytes
      let (a, b, c) = (stored[0], stored[1], stored[stored.count - 1])
      let special = unsafe linear.merge(
        a.span.bytes, b.span.bytes, c.span.bytes, into: &bytes, path: path)
      let nonFinite = try floats(Self.converted(output, from: target, to: .f32))
        .count { !$0.isFinite }
      #expect(special == nonFinite, "\(types) → \(target), \(path)")
      #expect(output == expected, "\(types) → \(target), \(weight), \(arithmetic), \(path)")
    }
  }

  @Test(
    "values that are not finite are found wherever they are",
    arguments: [DType.f16, .bf16, .f32, .f64, .f8E5M2])
  func nonFinite(type: DType) throws {
    let size = type.bitCount / 8
    var bytes = [UInt8](repeating: 0, count: 77 * size)
    #expect(unsafe !type.hasNonFinite(bytes.span.bytes))
    let infinity = try Self.infinity(of: type)
    for position in [0, 31, 76] {
      var changed = bytes
      changed.replaceSubrange(position * size..<(position + 1) * size, with: infinity)
      #expect(unsafe type.hasNonFinite(changed.span.bytes))
    }
    bytes[76 * size] = 1
    #expect(unsafe !type.hasNonFinite(bytes.span.bytes))
  }

  private static func infinity(of type: DType) throws -> [UInt8] {
    switch type {
    case .f8E5M2: [0x7C]
    case .f64: [0, 0, 0, 0, 0, 0, 0xF0, 0x7F]
    default: try converted([0, 0, 0x80, 0x7F], from: .f32, to: type)
    }
  }

  /// Finite values of a type, from their bits: every magnitude comes up.
  private static func stored(_ count: Int, seed: UInt64, as type: DType) throws -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15
    let size = type.bitCount / 8
    var bytes: [UInt8] = []
    while bytes.count < count * size {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let value = (0..<size).map { UInt8(truncatingIfNeeded: state >> (33 + 8 * UInt64($0))) }
      if try floats(converted(value, from: type, to: .f32))[0].isFinite { bytes += value }
    }
    return bytes
  }

  private static func converted(_ bytes: [UInt8], from: DType, to: DType) throws -> [UInt8] {
    let conversion = try #require(Conversion(from: from, to: to))
    let count = bytes.count / (from.bitCount / 8)
    var output = [UInt8](repeating: 0, count: count * to.bitCount / 8)
    var span = output.mutableSpan
    var raw = unsafe span.mutableBytes
    unsafe conversion.convert(bytes.span.bytes, into: &raw)
    return output
  }
}
