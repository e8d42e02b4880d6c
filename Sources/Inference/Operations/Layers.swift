import CForward
import StableDiffusion
import Tensors

/// What follows a layer and may be computed together with it.
enum Activation {
  case none, silu, gelu, quickGELU

  var code: cf_activation {
    switch self {
    case .none: CF_NONE
    case .silu: CF_SILU
    case .gelu: CF_GELU
    case .quickGELU: CF_QUICK_GELU
    }
  }
}

/// A convolution or matrix product, whichever layer it belongs to.
struct Product {
  let weight: Weight
  let bias: Weight?
  var kernel = 1
  var stride = 1
  var padding = Padding.none

  /// Applies the layer to `x`.
  ///
  /// - `size`: the height and width of `x` after its rows and columns were doubled, if they are.
  /// - `activation`: what follows.
  /// - `residual`: what is added last.
  func apply(
    _ x: Tensor, upsampledTo size: (height: Int, width: Int)? = nil,
    then activation: Activation = .none, adding residual: Tensor? = nil
  ) throws(Fault) -> Tensor {
    let pass = x.pass
    if activation != .none || residual != nil, pass.isTraced(weight.path) {
      // What follows is not part of the module.
      var y = try apply(x, upsampledTo: size)
      if activation != .none { y = try y.activated(activation) }
      return try residual.map { residual throws(Fault) in try y.adding(residual) } ?? y
    }
    let outputs = weight.parameter.shape[0]
    var extent = x.extent
    if let size { (extent.height, extent.width) = size }
    if stride == 2 {
      // One row more where zeros are added on both sides than where only below.
      let around = padding == .around ? 1 : 0
      extent.height = (extent.height + around) / 2
      extent.width = (extent.width + around) / 2
    }
    extent.channels = outputs
    let y = try pass.tensor(extent, isImage: x.isImage)
    let inputs = weight.parameter.factors.inputs
    let operations = 2.0 * Double(extent.rows) * Double(outputs) * Double(inputs * kernel * kernel)
    let kind: OperationKind =
      weight.parameter.role == .linear ? .linear : kernel == 3 ? .conv3x3 : .conv1x1
    try pass.run(kind, operations: operations) {
      loop(x, y, size != nil, activation, residual)
    }
    try pass.note(
      weight.path, weight.parameter.role.className, [x.shape], y, operations: operations)
    return y
  }

  private func loop(
    _ x: Tensor, _ y: Tensor, _ isUpsampled: Bool, _ activation: Activation, _ residual: Tensor?
  ) -> Int32 {
    let pool = unsafe x.pass.runtime.pool
    var c = unsafe cf_conv()
    unsafe c.x = UnsafeRawPointer(x.memory.base)
    unsafe c.y = y.memory.base
    unsafe c.type = x.pass.type
    unsafe c.n = x.extent.n
    unsafe c.height = x.extent.height
    unsafe c.width = x.extent.width
    unsafe c.inputs = x.extent.channels
    unsafe c.out_height = y.extent.height
    unsafe c.out_width = y.extent.width
    unsafe c.outputs = y.extent.channels
    unsafe c.kernel = Int32(kernel)
    unsafe c.stride = Int32(stride)
    unsafe c.pad = padding == .around ? 1 : 0
    unsafe c.up = isUpsampled ? 1 : 0
    unsafe c.weights = weight.base
    unsafe c.weight_type = weight.type
    unsafe c.bias = bias?.singles
    unsafe c.residual = UnsafeRawPointer(residual?.memory.base)
    unsafe c.activation = activation.code
    // Few tiles do not pay for the transformation of the weights.
    let tiles = y.extent.n * ((y.extent.height + 3) / 4) * ((y.extent.width + 3) / 4)
    let isFast =
      x.pass.runtime.precision != .reference && kernel == 3 && stride == 1
      && x.extent.channels % 16 == 0 && tiles >= 24
    return isFast ? unsafe cf_conv_winograd(pool, &c) : unsafe cf_conv_direct(pool, &c)
  }
}

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
      try pass.run(.groupNorm) {
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
      try pass.run(.layerNorm) {
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
