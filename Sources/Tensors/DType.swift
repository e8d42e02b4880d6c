/// How the values of a tensor are stored.
///
/// The 22 element types of the safetensors format, in the order of its Rust implementation:
/// that order decides how tensors are sorted in a written file.
///
/// Source: the safetensors format, version 0.8.
public enum DType: UInt8, CaseIterable, Sendable {
  case bool, f4, f6E2M3, f6E3M2, u8, i8, f8E5M2, f8E4M3, f8E8M0, f8E4M3FNUZ, f8E5M2FNUZ
  case i16, u16, f16, bf16, i32, u32, f32, c64, f64, i64, u64

  /// The spelling in a safetensors header, for example `"F16"`.
  public var name: String {
    switch self {
    case .bool: "BOOL"
    case .f4: "F4"
    case .f6E2M3: "F6_E2M3"
    case .f6E3M2: "F6_E3M2"
    case .u8: "U8"
    case .i8: "I8"
    case .f8E5M2: "F8_E5M2"
    case .f8E4M3: "F8_E4M3"
    case .f8E8M0: "F8_E8M0"
    case .f8E4M3FNUZ: "F8_E4M3FNUZ"
    case .f8E5M2FNUZ: "F8_E5M2FNUZ"
    case .i16: "I16"
    case .u16: "U16"
    case .f16: "F16"
    case .bf16: "BF16"
    case .i32: "I32"
    case .u32: "U32"
    case .f32: "F32"
    case .c64: "C64"
    case .f64: "F64"
    case .i64: "I64"
    case .u64: "U64"
    }
  }

  /// The type spelled `name` in a safetensors header, or `nil`; case counts.
  public init?(name: some StringProtocol) {
    guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }

  /// The size of one value, in bits: 4, 6, 8, 16, 32 or 64.
  public var bitCount: Int {
    switch self {
    case .f4: 4
    case .f6E2M3, .f6E3M2: 6
    case .bool, .u8, .i8, .f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ: 8
    case .i16, .u16, .f16, .bf16: 16
    case .i32, .u32, .f32: 32
    case .c64, .f64, .i64, .u64: 64
    }
  }

  /// The size of one value in bytes, or `nil` for types packed below a byte (F4, F6).
  public var byteCount: Int? { bitCount % 8 == 0 ? bitCount / 8 : nil }

  /// Whether the values are real floating-point numbers.
  public var isFloatingPoint: Bool {
    switch self {
    case .f4, .f6E2M3, .f6E3M2, .f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ, .f16, .bf16,
      .f32, .f64:
      true
    case .bool, .u8, .i8, .i16, .u16, .i32, .u32, .c64, .i64, .u64: false
    }
  }

  /// The bytes that `count` values take.
  ///
  /// - Throws: ``DType/SizeError`` when the number overflows or is not a whole number of bytes.
  public func byteCount(of count: Int) throws(SizeError) -> Int {
    let (bits, overflow) = count.multipliedReportingOverflow(by: bitCount)
    guard !overflow else { throw .overflow }
    guard bits % 8 == 0 else { throw .fractionalByte }
    return bits / 8
  }

  /// Why a tensor has no size in bytes.
  public enum SizeError: Error { case overflow, fractionalByte }
}

extension DType: CustomStringConvertible {
  /// ``name``.
  public var description: String { name }
}

extension DType: Comparable {
  /// The order in which a written safetensors file is sorted, reversed.
  public static func < (a: DType, b: DType) -> Bool { a.rawValue < b.rawValue }
}
