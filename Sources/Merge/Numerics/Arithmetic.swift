public import Tensors

/// How the linear methods round.
///
/// This file is the definition; faster loops must give the same bits.
public enum Arithmetic: String, CaseIterable, Sendable {
  /// Rounded once, to the type of the output.
  ///
  /// Where every input and the output are stored in 16 bits or fewer, these are the fused formulas
  /// of ``lerp``: their error before the rounding is a few parts in 2²⁴. Otherwise they are the
  /// same formulas in `Double`.
  case exact
  /// As PyTorch's `torch.lerp(A, B, α)` and `torch.addcmul(A, B - C, α)` on float32 tensors:
  /// SuperMerger, model-mixer, sd-mecha.
  ///
  /// `lerp` is `fma(α, B − A, A)` for |α| < ½ and `fma(α − 1, B − A, B)` otherwise, `addcmul` is
  /// `fma(α, B − C, A)`, and α is rounded to `Float` first.
  case lerp
  /// As the PyTorch expressions `(1 - α) * A + α * B` and `A + α * (B - C)` on tensors of the
  /// type that they are stored in: AUTOMATIC1111, bbc-mc, sd-meh, SD.Next.
  ///
  /// Every operation is computed in `Float` and rounded to the type of its operands; factors are
  /// computed in `Double` and rounded to `Float`. Where the types of the operands differ, an
  /// operation is rounded to the wider one, or to float32 for float16 with bfloat16.
  case webui
}

// MARK: Rounding

extension Arithmetic {
  /// The type that PyTorch gives the result of an operation on the types `a` and `b`.
  ///
  /// Types that PyTorch does not compute in count as float32.
  public static func promoted(_ a: DType, _ b: DType) -> DType {
    switch (a, b) {
    case (.f16, .f16): .f16
    case (.bf16, .bf16): .bf16
    default: .f32
    }
  }

  /// `value` rounded to the nearest number of a type, ties to even; f16, bf16, or nothing to do.
  @inline(__always)
  public static func rounded(_ value: Float, to type: DType) -> Float {
    switch type {
    case .f16: Float(Float16(value))
    case .bf16: roundedToBFloat16(value)
    default: value
    }
  }

  @inline(__always)
  private static func roundedToBFloat16(_ value: Float) -> Float {
    let bits = value.bitPattern
    guard !value.isNaN else { return value }
    // The largest finite numbers carry into the exponent and become infinite, as they must.
    return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
  }

  /// `value` as a `Float` that becomes what it would have become if rounded to `output` at once.
  ///
  /// A narrower type rounds the `Float` again. So that this second rounding meets no tie that the
  /// first one made, an inexact value goes to its neighbour with an odd last bit.
  ///
  /// Source: S. Boldo and G. Melquiond, "Emulation of FMA and correctly rounded sums", 2008.
  @inline(__always)
  public static func narrowed(_ value: Double, for output: DType) -> Float {
    let nearest = Float(value)
    guard output != .f32, output != .f64, nearest.isFinite else { return nearest }
    let back = Double(nearest)
    guard back != value, nearest.bitPattern & 1 == 0 else { return nearest }
    return back < value ? nearest.nextUp : nearest.nextDown
  }

  /// Whether values of this type are stored in 16 bits or fewer.
  @inline(__always)
  static func isNarrow(_ type: DType) -> Bool { type.bitCount <= 16 && type.isFloatingPoint }
}

// MARK: The linear formulas

extension Arithmetic {
  /// `(1 − t)a + tb` with one rounding of the sum, exact at both ends and for `a = b`.
  @inline(__always)
  static func lerp<T: BinaryFloatingPoint>(_ a: T, _ b: T, _ t: T) -> T {
    t.magnitude < 0.5 ? a.addingProduct(t, b - a) : b.addingProduct(t - 1, b - a)
  }

  /// Whether the ``exact`` arithmetic needs `Double` for these operands and this output.
  func needsDouble(_ operands: Operands, _ tensor: MergedTensor) -> Bool {
    self == .exact
      && !(Self.isNarrow(tensor.output) && operands.dtypes.allSatisfy(Self.isNarrow))
  }
}
