import Glibc

// The functions between layers, value by value: any shape to the same.
extension FloatArray {
  /// SiLU, also called swish: `x σ(x) = x / (1 + e⁻ˣ)`.
  ///
  /// Source: Elfwing, Uchibe and Doya, 2017; in ResNet blocks and the time embedding.
  public func silu() -> FloatArray { mapped { $0 / (1 + exp(-$0)) } }

  /// GELU: `x Φ(x) = x/2 (1 + erf(x / √2))`, exact.
  ///
  /// Source: Hendrycks and Gimpel, 2016; in the gates of the U-Net's transformers.
  public func gelu() -> FloatArray { mapped { $0 / 2 * (1 + erf($0 * 0.5.squareRoot())) } }

  /// Quick-GELU: `x σ(1.702 x)`.
  ///
  /// Source: Hendrycks and Gimpel, 2016; in CLIP.
  public func quickGELU() -> FloatArray { mapped { $0 / (1 + exp(-1.702 * $0)) } }

  private func mapped(_ function: (Double) -> Double) -> FloatArray {
    FloatArray(shape, values.map { Float(function(Double($0))) })
  }
}
