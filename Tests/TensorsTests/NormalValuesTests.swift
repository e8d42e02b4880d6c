import Tensors
import Testing

@Suite("NormalValues") struct NormalValuesTests {
  static func make(
    _ numbers: NormalValues, _ dtype: DType, from first: Int, count: Int,
    path: KernelPath = .best
  ) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count * dtype.bitCount / 8)
    var span = bytes.mutableSpan
    var raw = unsafe span.mutableBytes
    numbers.fill(&raw, with: dtype, from: first, path: path)
    return bytes
  }

  @Test("the values are those of the formula, also across 2³²", arguments: KernelPath.available)
  func formula(path: KernelPath) {
    // Computed with NumPy from the formula in normal.c and normal_loops.h.
    let expected: [UInt32] = [
      1_064_781_002, 1_074_355_748, 1_058_098_223, 1_060_646_250, 1_061_924_808,
      1_050_425_370, 1_035_168_304, 1_063_854_950, 1_068_628_649, 1_066_861_791,
      1_040_905_836, 1_061_372_547, 1_065_319_296, 1_065_454_201, 1_064_196_151,
      1_060_233_883, 1_065_839_299, 1_072_046_969, 1_070_208_723, 1_066_801_820,
    ]
    let numbers = NormalValues(key: 0x0123_4567_89AB_CDEF, mean: 1, deviation: 0.5)
    let bytes = Self.make(numbers, .f32, from: (1 << 32) - 3, count: 20, path: path)
    #expect(values(UInt32.self, bytes) == expected)
  }

  @Test(
    "any part made by itself is the same on every path", arguments: [DType.f16, .bf16, .f32, .f64])
  func parts(dtype: DType) {
    let numbers = NormalValues(key: 42, mean: 0, deviation: 0.02)
    let size = dtype.bitCount / 8
    let whole = Self.make(numbers, dtype, from: 0, count: 5000, path: .portable)
    for path in KernelPath.available {
      for (first, count) in [(0, 5000), (0, 0), (1, 1), (15, 18), (1000, 3000), (4999, 1)] {
        let part = Self.make(numbers, dtype, from: first, count: count, path: path)
        #expect(part == Array(whole[first * size..<(first + count) * size]))
      }
    }
  }

  @Test("mean, deviation and extremes are as asked")
  func moments() throws {
    let numbers = NormalValues(key: 7, mean: 1, deviation: 0.05)
    let bytes = Self.make(numbers, .f32, from: 0, count: 1_000_000)
    var statistics = TensorStatistics()
    unsafe statistics.add(bytes.span.bytes, dtype: .f32)
    #expect(abs(try #require(statistics.mean) - 1) < 0.0002)
    #expect(abs(try #require(statistics.standardDeviation) - 0.05) < 0.0002)
    let farthest = max(
      try #require(statistics.maximum) - 1, 1 - (try #require(statistics.minimum)))
    #expect((3.2 * 0.05...3.47 * 0.05).contains(farthest))
  }

  @Test("neighbouring keys and positions give unrelated values")
  func independence() {
    let count = 100_000
    func list(_ key: UInt64, from first: Int) -> [Float] {
      let numbers = NormalValues(key: key, mean: 0, deviation: 1)
      return values(Float.self, Self.make(numbers, .f32, from: first, count: count))
    }
    let base = list(1, from: 0)
    for other in [list(1, from: 1), list(2, from: 0), list((1 << 32) + 1, from: 0)] {
      let correlation = zip(base, other).reduce(0) { $0 + Double($1.0 * $1.1) } / Double(count)
      #expect(abs(correlation) < 0.02)
    }
  }
}
