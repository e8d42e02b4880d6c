import StableDiffusion
import Tensors

extension VAEResBlock where Leaf == Weight {
  /// `skip(x) + conv2(silu(norm2(conv1(silu(norm1(x))))))`: `[n, input, h, w]` to
  /// `[n, output, h, w]`.
  func callAsFunction(_ x: Tensor) throws(Fault) -> Tensor {
    try x.pass.block(norm1.weight.parameter.label("ResNetBlock"), x) { () throws(Fault) in
      let h = try norm2(conv1(norm1(x, then: .silu)), then: .silu)
      return try conv2(h, adding: skip.applied(to: x))
    }
  }
}

extension VAEAttention where Leaf == Weight {
  /// `x + out(attention(query, key, value of norm(x)))`, with one head.
  func callAsFunction(_ x: Tensor) throws(Fault) -> Tensor {
    try x.pass.block(norm.weight.parameter.label("AttnBlock"), x) { () throws(Fault) in
      let h = try norm(x).asRows()
      let y = try out(.attention(query(h), key(h), value(h), heads: 1), adding: x.asRows())
      return y.asImage()
    }
  }
}

extension VAEMiddle where Leaf == Weight {
  /// `res2(attention(res1(x)))`.
  func callAsFunction(_ x: Tensor) throws(Fault) -> Tensor {
    try x.pass.block(res1.norm1.weight.parameter.label("UNetMidBlock"), x) { () throws(Fault) in
      try res2(attention(res1(x)))
    }
  }
}

extension VAEEncoder where Leaf == Weight {
  /// `[n, 3, 8h, 8w]` to `[n, 8, h, w]`.
  func callAsFunction(_ x: Tensor) throws(Fault) -> Tensor {
    try x.pass.block(convIn.weight.parameter.label("Encoder"), x) { () throws(Fault) in
      var h = try convIn(x)
      for level in levels {
        for block in level.blocks { h = try block(h) }
        if let down = level.resample { h = try down.downsampling(h) }
      }
      return try convOut(normOut(middle(h), then: .silu))
    }
  }
}

extension VAEDecoder where Leaf == Weight {
  /// `[n, 4, h, w]` to `[n, 3, 8h, 8w]`.
  func callAsFunction(_ x: Tensor) throws(Fault) -> Tensor {
    try x.pass.block(convIn.weight.parameter.label("Decoder"), x) { () throws(Fault) in
      var h = try middle(convIn(x))
      for level in levels {
        for block in level.blocks { h = try block(h) }
        if let up = level.resample {
          h = try up.upsampling(h, to: (2 * h.extent.height, 2 * h.extent.width))
        }
      }
      return try convOut(normOut(h, then: .silu))
    }
  }
}
