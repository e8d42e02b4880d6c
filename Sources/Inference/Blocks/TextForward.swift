import StableDiffusion
import Tensors

extension TextLayer where Leaf == Weight {
  /// `x + out(attention(query, key, value of norm1(x)))`, then `x + fc2(quickGELU(fc1(norm2(x))))`.
  ///
  /// - Parameter x: `[n, 77, 768]`; a token attends to itself and those before it.
  func callAsFunction(_ x: Tensor) throws(Fault) -> Tensor {
    try x.pass.block(norm1.weight.parameter.label("CLIPEncoderLayer"), x) { () throws(Fault) in
      let h = try norm1(x)
      let attended = try Tensor.attention(
        query(h), key(h), value(h), heads: Dimensions.textHeads, isCausal: true)
      let y = try out(attended, adding: x)
      return try fc2(fc1(norm2(y), then: .quickGELU), adding: y)
    }
  }
}

extension TextEncoder where Leaf == Weight {
  /// Encodes tokens.
  ///
  /// - Parameters:
  ///   - x: the sum of the vectors of tokens and positions, `[n, 77, 768]`.
  ///   - clipSkip: 1 for the last layer, 2 for the one before it, and so on.
  /// - Returns: `[n, 77, 768]`.
  func callAsFunction(_ x: Tensor, clipSkip: Int) throws(Fault) -> Tensor {
    var h = x
    for layer in layers.dropLast(clipSkip - 1) { h = try layer(h) }
    return try finalNorm(h)
  }
}
