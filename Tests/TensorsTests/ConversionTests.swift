import Tensors
import TestSupport
import Testing

@Suite("Conversion") struct ConversionTests {
  static let halves = Array(UInt16.min...UInt16.max)

  /// Singles where rounding can go wrong: every half, its neighbours, the points between halves.
  static let singles: [Float] = {
    var result: [Float] = []
    for bits in halves {
      let value = Float(Float16(bitPattern: bits))
      let middle = (value + Float(Float16(bitPattern: bits &+ 1))) / 2
      result += [value, value.nextUp, value.nextDown, middle, middle.nextUp, middle.nextDown]
    }
    var generator = SplitMix64(state: 1)
    for _ in 0..<400_001 {
      result.append(Float(bitPattern: UInt32(truncatingIfNeeded: generator.next())))
    }
    return result
  }()

  @Test("every half widens to its value", arguments: KernelPath.available)
  func widensHalves(path: KernelPath) throws {
    let conversion = try #require(Conversion(from: .f16, to: .f32))
    let result = values(Float.self, conversion.converted(bytes(of: Self.halves), path: path).bytes)
    for (bits, value) in zip(Self.halves, result) {
      let expected = Float(Float16(bitPattern: bits))
      let same = expected.isNaN ? value.isNaN : value.bitPattern == expected.bitPattern
      #expect(same && value.sign == expected.sign, "\(bits): \(value), expected \(expected)")
    }
  }

  @Test("singles narrow to the nearest half, ties to even", arguments: KernelPath.available)
  func narrowsSingles(path: KernelPath) throws {
    let conversion = try #require(Conversion(from: .f32, to: .f16))
    let result = conversion.converted(bytes(of: Self.singles), path: path)
    var overflows = 0
    for (single, bits) in zip(Self.singles, values(UInt16.self, result.bytes)) {
      let expected = Float16(single)
      if single.isFinite && expected.isInfinite { overflows += 1 }
      let value = Float16(bitPattern: bits)
      let same = expected.isNaN ? value.isNaN : bits == expected.bitPattern
      #expect(same && value.sign == expected.sign, "\(single): \(value), expected \(expected)")
    }
    #expect(result.overflows == overflows && overflows > 1000)
  }

  @Test("doubles narrow to halves in one rounding", arguments: KernelPath.available)
  func narrowsDoubles(path: KernelPath) throws {
    let conversion = try #require(Conversion(from: .f64, to: .f16))
    // The points between halves, and their nearest doubles, which singles cannot tell apart.
    let doubles = Self.singles.prefix(393_216).flatMap { single in
      [Double(single), Double(single).nextUp, Double(single).nextDown]
    }
    let result = conversion.converted(bytes(of: doubles), path: path)
    for (double, bits) in zip(doubles, values(UInt16.self, result.bytes)) where !double.isNaN {
      #expect(bits == Float16(double).bitPattern, "\(double)")
    }
    let finite = doubles.filter(\.isFinite)
    #expect(result.overflows == finite.count { Float16($0).isInfinite })
  }

  @Test("singles narrow to the nearest BF16, ties to even", arguments: KernelPath.available)
  func narrowsToBF16(path: KernelPath) throws {
    let conversion = try #require(Conversion(from: .f32, to: .bf16))
    let result = conversion.converted(bytes(of: Self.singles), path: path)
    func value(_ bits: UInt16) -> Double {
      // One step above the largest finite value stands for infinity when distances are compared.
      bits & 0x7FFF == 0x7F80
        ? (bits >> 15 == 0 ? 0x1p128 : -0x1p128)
        : Double(Float(bitPattern: UInt32(bits) << 16))
    }
    for (single, bits) in zip(Self.singles, values(UInt16.self, result.bytes)) {
      if single.isNaN {
        #expect(Float(bitPattern: UInt32(bits) << 16).isNaN)
      } else if single.isInfinite {
        #expect(value(bits) == (single < 0 ? -0x1p128 : 0x1p128))
      } else {
        let error = abs(Double(single) - value(bits))
        for neighbour in [bits &+ 1, bits &- 1] where neighbour & 0x7FFF <= 0x7F80 {
          let other = abs(Double(single) - value(neighbour))
          #expect(error < other || error == other && bits & 1 == 0, "\(single) \(bits)")
        }
      }
    }
  }

  @Test("BF16 and doubles widen and narrow as the processor does", arguments: KernelPath.available)
  func wide(path: KernelPath) throws {
    let widen = try #require(Conversion(from: .bf16, to: .f64))
    let wide = values(Double.self, widen.converted(bytes(of: Self.halves), path: path).bytes)
    for (bits, value) in zip(Self.halves, wide) where !value.isNaN {
      #expect(value == Double(Float(bitPattern: UInt32(bits) << 16)))
    }
    let narrow = try #require(Conversion(from: .f64, to: .f32))
    let doubles = values(Double.self, randomBytes(80_008, seed: 2)) + [3.402_823_567_8e38, 0x1p128]
    let result = narrow.converted(bytes(of: doubles), path: path)
    for (double, single) in zip(doubles, values(Float.self, result.bytes)) where !double.isNaN {
      #expect(single.bitPattern == Float(double).bitPattern)
    }
    #expect(result.overflows == doubles.count { $0.isFinite && Float($0).isInfinite })
  }

  @Test("8-bit floating-point values are those of PyTorch")
  func eightBits() throws {
    let rows = String(decoding: contents(of: Fixtures.path("f8/values.tsv")), as: UTF8.self)
      .split(separator: "\n").map { $0.split(separator: "\t") }
    let header = try #require(rows.first)
    for column in 1..<header.count {
      let dtype = try #require(DType(name: header[column]))
      let conversion = try #require(Conversion(from: dtype, to: .f32))
      let result = values(Float.self, conversion.converted(Array(0...255)).bytes)
      for (row, value) in zip(rows.dropFirst(), result) {
        let text = row[column]
        let expected = text == "nan" ? nil : UInt32(text, radix: 16)
        #expect((value.isNaN ? nil : value.bitPattern) == expected, "\(dtype) \(row[0])")
      }
    }
  }

  @Test("integers become the nearest single")
  func integers() throws {
    let random = randomBytes(8 * 1003, seed: 3)
    func check<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, _ dtype: DType) throws {
      let conversion = try #require(Conversion(from: dtype, to: .f32))
      let result = values(Float.self, conversion.converted(random).bytes)
      #expect(result == values(T.self, random).map { Float($0) }, "\(dtype)")
    }
    try check(UInt8.self, .u8)
    try check(Int8.self, .i8)
    try check(UInt16.self, .u16)
    try check(Int16.self, .i16)
    try check(UInt32.self, .u32)
    try check(Int32.self, .i32)
    try check(UInt64.self, .u64)
    try check(Int64.self, .i64)
  }

  @Test("every path gives the same bits, at every length", arguments: DType.allCases)
  func paths(dtype: DType) throws {
    for target in [DType.f16, .bf16, .f32, .f64] {
      guard let conversion = Conversion(from: dtype, to: target) else { continue }
      for count in [0, 1, 2, 15, 16, 17, 31, 33, 1023, 1024, 1025, 5000] {
        let input = randomBytes(count * dtype.bitCount / 8, seed: UInt64(count) + 7)
        let expected = conversion.converted(input, path: .portable)
        for path in KernelPath.available {
          let result = conversion.converted(input, path: path)
          #expect(result.bytes == expected.bytes && result.overflows == expected.overflows)
        }
      }
    }
  }

  @Test("there is no conversion to integers, nor from packed or complex values")
  func unsupported() {
    #expect(Conversion(from: .f32, to: .i32) == nil)
    #expect(Conversion(from: .f4, to: .f32) == nil)
    #expect(Conversion(from: .c64, to: .f16) == nil)
    #expect(Conversion(from: .c64, to: .c64)?.isIdentity == true)
  }

  @Test("bytes of the same type are copied as they are, signalling NaN included")
  func identity() throws {
    let input = bytes(of: Self.halves)
    #expect(try #require(Conversion(from: .f16, to: .f16)).converted(input).bytes == input)
  }
}
