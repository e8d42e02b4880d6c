import CForward
import StableDiffusion
import Tensors

extension Linear where Leaf == Weight {
  /// `W x + b`: `[n, rows, input]` to `[n, rows, output]`.
  func callAsFunction(
    _ x: Tensor, then activation: Activation = .none, adding residual: Tensor? = nil
  ) throws(Fault) -> Tensor {
    try Product(weight: weight, bias: bias).apply(x, then: activation, adding: residual)
  }
}

extension Conv where Leaf == Weight {
  /// `[n, input, h, w]` to `[n, output, h, w]`, or half of the height and width.
  ///
  /// - `size`: the height and width of `x` after its rows and columns were doubled.
  func callAsFunction(
    _ x: Tensor, upsampledTo size: (height: Int, width: Int)? = nil, adding residual: Tensor? = nil
  ) throws(Fault) -> Tensor {
    try Product(weight: weight, bias: bias, kernel: kernel, stride: stride, padding: padding)
      .apply(x, upsampledTo: size, adding: residual)
  }
}

extension Norm where Leaf == Weight {
  /// Normalises `x + addend`; the shape stays.
  ///
  /// - `addend`: `[n, 1, channels]`, added to all positions of an image.
  /// - `activation`: what follows; a GroupNorm only.
  func callAsFunction(
    _ x: Tensor, adding addend: Tensor? = nil, then activation: Activation = .none
  ) throws(Fault) -> Tensor {
    let pass = x.pass
    if activation != .none, pass.isTraced(weight.path) {
      return try self(x, adding: addend).activated(activation)
    }
    let y = try pass.tensor(x.extent, isImage: x.isImage)
    let e = x.extent
    switch kind {
    case .group(let count):
      try pass.loop(.groupNorm) {
        var m = unsafe cf_group_norm()
        unsafe m.x = UnsafeRawPointer(x.memory.base)
        unsafe m.y = y.memory.base
        unsafe m.type = pass.type
        unsafe m.n = e.n
        unsafe m.positions = e.height * e.width
        unsafe m.channels = e.channels
        unsafe m.groups = count
        unsafe m.epsilon = epsilon
        unsafe m.weight = weight.singles
        unsafe m.bias = bias.singles
        unsafe m.addend = UnsafeRawPointer(addend?.memory.base)
        unsafe m.activation = activation.code
        return unsafe cf_normalize_groups(pass.runtime.pool, &m)
      }
    case .layer:
      try pass.loop(.layerNorm) {
        var m = unsafe cf_layer_norm()
        unsafe m.x = UnsafeRawPointer(x.memory.base)
        unsafe m.y = y.memory.base
        unsafe m.type = pass.type
        unsafe m.rows = e.rows
        unsafe m.channels = e.channels
        unsafe m.epsilon = epsilon
        unsafe m.weight = weight.singles
        unsafe m.bias = bias.singles
        return unsafe cf_normalize_layers(pass.runtime.pool, &m)
      }
    }
    try pass.note(weight.path, weight.parameter.role.className, [x.shape], y, operations: 0)
    return y
  }
}
