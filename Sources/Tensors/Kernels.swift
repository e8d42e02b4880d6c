import CKernels

/// The instruction set that the inner loops use.
///
/// Every path gives the same bits; only tests choose one.
package enum KernelPath: CaseIterable, Sendable {
  case portable, avx2, avx512

  /// The fastest that this processor runs.
  package static let best: KernelPath = {
    switch ck_best_path() {
    case CK_AVX512: .avx512
    case CK_AVX2: .avx2
    default: .portable
    }
  }()

  /// All that this processor runs.
  package static var available: [KernelPath] {
    switch best {
    case .portable: [.portable]
    case .avx2: [.portable, .avx2]
    case .avx512: [.portable, .avx2, .avx512]
    }
  }

  var code: ck_path {
    switch self {
    case .portable: CK_PORTABLE
    case .avx2: CK_AVX2
    case .avx512: CK_AVX512
    }
  }
}

extension DType {
  /// How the inner loops call this type, or `nil` if they do not know it.
  var kernelType: ck_type? {
    switch self {
    case .bool: CK_BOOL
    case .u8: CK_U8
    case .i8: CK_I8
    case .f8E5M2: CK_F8_E5M2
    case .f8E4M3: CK_F8_E4M3
    case .f8E8M0: CK_F8_E8M0
    case .f8E4M3FNUZ: CK_F8_E4M3FNUZ
    case .f8E5M2FNUZ: CK_F8_E5M2FNUZ
    case .i16: CK_I16
    case .u16: CK_U16
    case .f16: CK_F16
    case .bf16: CK_BF16
    case .i32: CK_I32
    case .u32: CK_U32
    case .f32: CK_F32
    case .f64: CK_F64
    case .i64: CK_I64
    case .u64: CK_U64
    case .f4, .f6E2M3, .f6E3M2, .c64: nil
    }
  }
}
