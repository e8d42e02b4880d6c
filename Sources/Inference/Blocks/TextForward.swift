import StableDiffusion
import Tensors

extension TextLayer where Leaf == Weight {
  /// `x + out(attention(query, key, value of norm1(x)))`, then `x + fc2(quickGELU(fc1(norm2(x))))`.
  ///
  /// - `x`: `[n, 77, 768]`; a token attends to itself and those before it.
  func callAsFunction(_ x: Tensor) throws(Fault) -> Tensor {
    try x.pass.block(norm1.weight.parameter.label("CLIPEncoderLayer"), x) { () throws(Fault) in
      let y = try attend(norm1(x), adding: x)
      return try feedForward(norm2(y), adding: y)
    }
  }

  private func attend(_ x: Tensor, adding residual: Tensor) throws(Fault) -> Tensor {
    try x.pass.block(query.weight.parameter.label("CLIPAttention"), x, adding: residual) {
      residual throws(Fault) in
      try out(
        .attention(
          query(x), key(x), value(x), heads: Dimensions.textHeads, isCausal: true),
        adding: residual)
    }
  }

  private func feedForward(_ x: Tensor, adding residual: Tensor) throws(Fault) -> Tensor {
    try x.pass.block(fc1.weight.parameter.label("CLIPMLP"), x, adding: residual) {
      residual throws(Fault) in
      try fc2(fc1(x, then: .quickGELU), adding: residual)
    }
  }
}

extension TextEncoder where Leaf == Weight {
  /// Encodes tokens.
  ///
  /// - `x`: the sum of the vectors of tokens and positions, `[n, 77, 768]`.
  /// - `clipSkip`: 1 for the last layer, 2 for the one before it, and so on.
  /// - gives `[n, 77, 768]`.
  func callAsFunction(_ x: Tensor, clipSkip: Int) throws(Fault) -> Tensor {
    var h = x
    for layer in layers.dropLast(clipSkip - 1) { h = try layer(h) }
    return try finalNorm(h)
  }
}
