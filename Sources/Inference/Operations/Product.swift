import CForward
import COneDNN
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

  var libraryCode: od_activation {
    switch self {
    case .none: OD_NONE
    case .silu: OD_SILU
    case .gelu: OD_GELU
    case .quickGELU: OD_QUICK_GELU
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
    let way = Way(of: self, x, y, operations: operations, isUpsampled: size != nil)
    try pass.run(kind, operations: operations) { () throws(Fault) in
      if way == .library {
        try computeByLibrary(x, y, activation, residual)
      } else {
        try compute(way, x, y, isUpsampled: size != nil, activation, residual)
      }
    }
    try pass.note(
      weight.path, weight.parameter.role.className, [x.shape], y, operations: operations)
    return y
  }

  /// By our own loops.
  private func compute(
    _ way: Way, _ x: Tensor, _ y: Tensor, isUpsampled: Bool, _ activation: Activation,
    _ residual: Tensor?
  ) throws(Fault) {
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
    unsafe c.weights = try weight.panels(x.pass)
    unsafe c.weight_type = weight.type
    unsafe c.bias = bias?.singles
    unsafe c.residual = UnsafeRawPointer(residual?.memory.base)
    unsafe c.activation = activation.code
    let status = unsafe way == .winograd ? cf_conv_winograd(pool, &c) : cf_conv_direct(pool, &c)
    try x.pass.runtime.check(status)
  }

  /// By oneDNN.
  private func computeByLibrary(
    _ x: Tensor, _ y: Tensor, _ activation: Activation, _ residual: Tensor?
  ) throws(Fault) {
    let runtime = x.pass.runtime
    var c = od_conv()
    c.type = x.pass.type == CF_BF16 ? OD_BF16 : OD_F32
    // A matrix product sees nothing but rows.
    let isImage = kernel > 1
    c.n = isImage ? Int64(x.extent.n) : 1
    c.height = Int64(isImage ? x.extent.height : x.extent.rows)
    c.width = isImage ? Int64(x.extent.width) : 1
    c.inputs = Int64(x.extent.channels)
    c.out_height = Int64(isImage ? y.extent.height : y.extent.rows)
    c.out_width = isImage ? Int64(y.extent.width) : 1
    c.outputs = Int64(y.extent.channels)
    c.kernel = Int32(kernel)
    c.stride = Int32(stride)
    c.pad = padding == .around ? 1 : 0
    c.has_bias = unsafe bias?.singles == nil ? 0 : 1
    c.adds = residual == nil ? 0 : 1
    c.activation = activation.libraryCode
    var found: OpaquePointer?
    try runtime.check(unsafe od_find(runtime.library, &c, &found).rawValue)
    guard let plan = unsafe found else { throw .noMemory() }
    let values = try unsafe weight.packed(for: plan, x.pass)
    let status = unsafe od_run(
      runtime.library, plan, x.memory.base, values, bias?.singles, residual?.memory.base,
      y.memory.base)
    try runtime.check(status.rawValue)
  }
}

/// What computes a layer: measured for each kind; see ARCHITECTURE.md.
///
/// Rows are doubled by our loops only, in layers whose widths are multiples of 32.
private enum Way {
  /// oneDNN.
  case library
  /// Our loops: products as the definition has them.
  case direct
  /// Our loops: Winograd's algorithm.
  case winograd

  init(
    of product: Product, _ x: Tensor, _ y: Tensor, operations: Double, isUpsampled: Bool
  ) {
    let isDense = product.kernel == 3 && x.channels % 16 == 0 && y.channels >= 16
    let tiles = y.extent.n * ((y.extent.height + 3) / 4) * ((y.extent.width + 3) / 4)
    switch x.pass.runtime.precision {
    case .reference:
      self = .direct
    case .f32:
      if !isDense {
        // Waking the library's threads takes longer than a small product does.
        self = operations < 8e6 ? .direct : .library
      } else {
        // Few tiles do not pay for the transformation of the weights.
        self = product.stride == 1 && tiles >= 24 ? .winograd : .direct
      }
    case .bf16:
      // Products in BF16 take half the time, so that it pays later.
      self = isDense && product.stride == 1 && (tiles >= 256 || isUpsampled) ? .winograd : .library
    }
  }
}
