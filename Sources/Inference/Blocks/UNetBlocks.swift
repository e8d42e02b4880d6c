import StableDiffusion
import Tensors

extension ResBlock where Leaf == Weight {
  /// `skip(x) + conv2(silu(norm2(conv1(silu(norm1(x))) + time(embedding))))`.
  ///
  /// - `x`: `[n, input, h, w]`.
  /// - `embedding`: `[n, 1, 1280]`, after a SiLU, which all blocks have in common.
  /// - gives `[n, output, h, w]`.
  func callAsFunction(_ x: Tensor, time embedding: Tensor) throws(Fault) -> Tensor {
    try x.pass.block(norm1.weight.parameter.label("ResNetBlock"), x) { () throws(Fault) in
      let t = try time(embedding)
      let h = try norm2(conv1(norm1(x, then: .silu)), adding: t, then: .silu)
      return try conv2(h, adding: skip.applied(to: x))
    }
  }
}

extension Attention where Leaf == Weight {
  /// Lets the rows of `x` attend to those of `context`, or to themselves, and adds `residual`.
  ///
  /// - `x`: `[n, h w, channels]`.
  /// - `context`: `[n, tokens, 768]`.
  func callAsFunction(
    _ x: Tensor, context: Tensor? = nil, adding residual: Tensor
  ) throws(Fault) -> Tensor {
    let seen = context ?? x
    return try x.pass.block(query.weight.parameter.label("CrossAttention"), x, adding: residual) {
      residual throws(Fault) in
      try out(
        .attention(query(x), key(seen), value(seen), heads: Dimensions.unetHeads),
        adding: residual)
    }
  }
}

extension FeedForward where Leaf == Weight {
  /// `out(value * gelu(gate))` of the halves of `proj(x)`, and adds `residual`.
  func callAsFunction(_ x: Tensor, adding residual: Tensor) throws(Fault) -> Tensor {
    try x.pass.block(proj.weight.parameter.label("FeedForward"), x, adding: residual) {
      residual throws(Fault) in
      try out(proj(x).gated(), adding: residual)
    }
  }
}

extension TransformerBlock where Leaf == Weight {
  /// `x + attn1(norm1(x))`, then `x + attn2(norm2(x), context)`, then `x + feedForward(norm3(x))`.
  func callAsFunction(_ x: Tensor, context: Tensor) throws(Fault) -> Tensor {
    try x.pass.block(norm1.weight.parameter.label("BasicTransformerBlock"), x) {
      () throws(Fault) in
      var h = try attn1(norm1(x), adding: x)
      h = try attn2(norm2(h), context: context, adding: h)
      return try feedForward(norm3(h), adding: h)
    }
  }
}

extension SpatialTransformer where Leaf == Weight {
  /// `x + projOut(block(projIn(norm(x))))`, over the positions of the image.
  func callAsFunction(_ x: Tensor, context: Tensor) throws(Fault) -> Tensor {
    try x.pass.block(norm.weight.parameter.label("SpatialTransformer"), x) { () throws(Fault) in
      let h = try block(projIn(norm(x)).asRows(), context: context)
      return try projOut(h.asImage(), adding: x)
    }
  }
}

extension Conv where Leaf == Weight {
  /// Halves height and width.
  func downsampling(_ x: Tensor) throws(Fault) -> Tensor {
    try x.pass.block(weight.parameter.label("Downsample"), x) { () throws(Fault) in try self(x) }
  }

  /// Doubles rows and columns, to that height and width, and applies the convolution.
  func upsampling(_ x: Tensor, to size: (height: Int, width: Int)) throws(Fault) -> Tensor {
    try x.pass.block(weight.parameter.label("Upsample"), x) { () throws(Fault) in
      try self(x, upsampledTo: size)
    }
  }
}

extension Optional where Wrapped == Conv<Weight> {
  /// The way around a residual block: the convolution, or `x` itself.
  func applied(to x: Tensor) throws(Fault) -> Tensor {
    guard let self, self.weight.isPresent else { return x }
    return try self(x)
  }
}

extension Parameter {
  /// The innermost module of that class around it, or its layer.
  func label(_ className: String) -> ModuleLabel {
    modules.last { $0.className == className } ?? modules[modules.count - 1]
  }
}
