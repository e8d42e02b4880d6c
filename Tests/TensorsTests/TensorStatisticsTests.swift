import Tensors
import Testing

@Suite("TensorStatistics") struct TensorStatisticsTests {
  static let floats: [DType] = [.f16, .bf16, .f32, .f64]

  static func statistics(
    _ bytes: [UInt8], _ dtype: DType, path: KernelPath = .best
  ) -> TensorStatistics {
    var statistics = TensorStatistics()
    let shifted = [0] + bytes
    unsafe statistics.add(shifted.span.bytes.extracting(1...), dtype: dtype, path: path)
    return statistics
  }

  @Test("all paths give the same bits", arguments: DType.allCases)
  func paths(dtype: DType) {
    for count in [0, 16, 32, 48, 1008, 1024, 1040, 1056, 33_333 * 16] {
      // Random bits hold NaN and infinity; with the exponent's top bit cleared they do not.
      let wild = randomBytes(count * dtype.bitCount / 8, seed: 11)
      let size = max(1, dtype.bitCount / 8)
      let tame = wild.enumerated().map { $0 % size == size - 1 ? $1 & 0xBF : $1 }
      for bytes in [wild, tame] {
        let expected = Self.statistics(bytes, dtype, path: .portable)
        #expect(expected.count == (dtype == .c64 ? 2 * count : count))
        for path in KernelPath.available {
          #expect(Self.statistics(bytes, dtype, path: path) == expected, "\(count)")
        }
      }
    }
  }

  @Test("counts, extremes and moments are those of a plain loop", arguments: floats)
  func plain(dtype: DType) throws {
    var generator = SplitMix64(state: 5)
    var numbers = (0..<100_003).map { _ in Double.random(in: -3...5, using: &generator) }
    for (index, value) in [0, -0.0, 60_032, -60_032, .nan, .infinity, -.infinity].enumerated() {
      numbers[index * 100] = value
      numbers[50_000 + index] = value
      numbers[100_002 - index] = value
    }
    let bytes = try #require(Conversion(from: .f64, to: dtype)).converted(bytes(of: numbers)).bytes
    let widened = try #require(Conversion(from: dtype, to: .f64)).converted(bytes).bytes
    let plain = values(Double.self, widened)
    let finite = plain.filter(\.isFinite)
    let result = Self.statistics(bytes, dtype)
    #expect(result.count == plain.count)
    #expect(result.nanCount == 3)
    #expect(result.positiveInfinityCount == 3)
    #expect(result.negativeInfinityCount == 3)
    #expect(result.zeroCount == plain.count { $0 == 0 })
    #expect(result.largeCount == plain.count { $0.isFinite && abs($0) > 60_000 })
    #expect(result.largeCount == 6 || dtype == .bf16)
    #expect(result.finiteCount == finite.count)
    #expect(result.minimum == finite.min())
    #expect(result.maximum == finite.max())
    #expect(result.maximumMagnitude == finite.map(abs).max())
    let mean = finite.reduce(0, +) / Double(finite.count)
    let variance = finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(finite.count)
    #expect(abs(try #require(result.mean) - mean) < 1e-9)
    #expect(abs(try #require(result.standardDeviation) - variance.squareRoot()) < 1e-6)
  }

  @Test(
    "tame values give the same as wild ones with the special values taken out", arguments: floats)
  func tame(dtype: DType) throws {
    // Whole blocks take the fast way; one NaN at the end makes the last block take the slow one.
    let numbers = (0..<1024).map { Double($0 % 256) / 64 - 2 }
    let conversion = try #require(Conversion(from: .f64, to: dtype))
    let fast = Self.statistics(conversion.converted(bytes(of: numbers)).bytes, dtype)
    var special = numbers
    special.insert(contentsOf: [Double](repeating: .nan, count: 16), at: 512)
    special.removeLast(16)
    let tail = Self.statistics(
      conversion.converted(bytes(of: Array(numbers.suffix(16)))).bytes, dtype)
    var slow = Self.statistics(conversion.converted(bytes(of: special)).bytes, dtype)
    slow.append(tail)
    #expect(slow.nanCount == 16 && fast.nanCount == 0)
    #expect(slow.mean == fast.mean && slow.standardDeviation == fast.standardDeviation)
    #expect(slow.minimum == -2 && fast.minimum == -2)
    #expect(slow.maximum == fast.maximum && slow.zeroCount == 4 && fast.zeroCount == 4)
  }

  @Test("constant and zero tensors are recognised")
  func constant() {
    let ones = Self.statistics(bytes(of: [Float](repeating: 1, count: 33)), .f32)
    #expect(ones.isConstant && !ones.isZero && ones.standardDeviation == 0)
    let zeros = Self.statistics(bytes(of: [Float](repeating: -0.0, count: 33)), .f32)
    #expect(zeros.isConstant && zeros.isZero && zeros.minimum?.sign == .plus)
    let single = Self.statistics(bytes(of: [Float(1)]), .f32)
    #expect(!single.isConstant)
    let broken = Self.statistics(bytes(of: [Float(1), .nan]), .f32)
    #expect(!broken.isConstant && broken.minimum == 1)
    let empty = TensorStatistics()
    #expect(empty.mean == nil && empty.minimum == nil && !empty.isZero)
  }

  @Test("integers: position numbers")
  func integers() {
    let result = Self.statistics(bytes(of: (0..<77).map { Int64($0) }), .i64)
    #expect(result.minimum == 0 && result.maximum == 76 && result.mean == 38)
    #expect(
      result.zeroCount == 1 && result.count == 77
        && result.standardDeviation.map { abs($0 - 22.2261107) < 1e-6 } == true)
    let bytes = Self.statistics([255, 0, 3] + [UInt8](repeating: 9, count: 30), .i8)
    #expect(bytes.minimum == -1 && bytes.maximum == 9)
  }

  @Test("a block of zeros of the smallest type is counted whole")
  func lanes() {
    for dtype in [DType.u8, .i8, .bool, .f16] {
      let zeros = [UInt8](repeating: 0, count: 100_000)
      #expect(Self.statistics(zeros, dtype).zeroCount == 100_000 * 8 / dtype.bitCount)
    }
  }
}
