import Tensors

/// What the values of a PyTorch storage are.
enum ElementType: Hashable {
  /// A type that safetensors has, too.
  case plain(DType)
  /// Bytes whose meaning each tensor gives.
  case untyped
  /// A type that cannot be represented, with its PyTorch name and size.
  case foreign(name: String, byteCount: Int)

  /// The size of one value in bytes.
  var byteCount: Int {
    switch self {
    case .plain(let dtype): dtype.bitCount / 8
    case .untyped: 1
    case .foreign(_, let byteCount): byteCount
    }
  }

  /// The types of PyTorch's storage classes.
  static let byStorageClass: [String: ElementType] = [
    "FloatStorage": .plain(.f32), "HalfStorage": .plain(.f16), "BFloat16Storage": .plain(.bf16),
    "DoubleStorage": .plain(.f64), "LongStorage": .plain(.i64), "IntStorage": .plain(.i32),
    "ShortStorage": .plain(.i16), "CharStorage": .plain(.i8), "ByteStorage": .plain(.u8),
    "BoolStorage": .plain(.bool), "ComplexFloatStorage": .plain(.c64),
    "UntypedStorage": .untyped, "ComplexDoubleStorage": .foreign(name: "complex128", byteCount: 16),
    "QInt8Storage": .foreign(name: "qint8", byteCount: 1),
    "QUInt8Storage": .foreign(name: "quint8", byteCount: 1),
    "QInt32Storage": .foreign(name: "qint32", byteCount: 4),
    "QUInt4x2Storage": .foreign(name: "quint4x2", byteCount: 1),
    "QUInt2x4Storage": .foreign(name: "quint2x4", byteCount: 1),
  ]

  /// The types of PyTorch's `dtype` objects.
  static let byDTypeName: [String: ElementType] = [
    "float32": .plain(.f32), "float": .plain(.f32), "float16": .plain(.f16), "half": .plain(.f16),
    "bfloat16": .plain(.bf16), "float64": .plain(.f64), "double": .plain(.f64),
    "int64": .plain(.i64), "long": .plain(.i64), "int32": .plain(.i32), "int": .plain(.i32),
    "int16": .plain(.i16), "short": .plain(.i16), "int8": .plain(.i8), "uint8": .plain(.u8),
    "bool": .plain(.bool), "complex64": .plain(.c64), "cfloat": .plain(.c64),
    "uint16": .plain(.u16), "uint32": .plain(.u32), "uint64": .plain(.u64),
    "float8_e4m3fn": .plain(.f8E4M3), "float8_e5m2": .plain(.f8E5M2),
    "float8_e4m3fnuz": .plain(.f8E4M3FNUZ), "float8_e5m2fnuz": .plain(.f8E5M2FNUZ),
    "float8_e8m0fnu": .plain(.f8E8M0),
    "complex128": .foreign(name: "complex128", byteCount: 16),
    "complex32": .foreign(name: "complex32", byteCount: 4),
    "float4_e2m1fn_x2": .foreign(name: "float4_e2m1fn_x2", byteCount: 1),
    "qint8": .foreign(name: "qint8", byteCount: 1),
    "quint8": .foreign(name: "quint8", byteCount: 1),
    "qint32": .foreign(name: "qint32", byteCount: 4),
    "quint4x2": .foreign(name: "quint4x2", byteCount: 1),
    "quint2x4": .foreign(name: "quint2x4", byteCount: 1),
  ]

  /// The type that NumPy spells `text`, such as `f4`; byte order is told apart.
  static let byNumPyName: [String: ElementType] = [
    "f4": .plain(.f32), "f2": .plain(.f16), "f8": .plain(.f64), "i8": .plain(.i64),
    "i4": .plain(.i32), "i2": .plain(.i16), "i1": .plain(.i8), "u1": .plain(.u8),
    "u2": .plain(.u16), "u4": .plain(.u32), "u8": .plain(.u64), "b1": .plain(.bool),
    "c8": .plain(.c64), "c16": .foreign(name: "complex128", byteCount: 16),
  ]
}
