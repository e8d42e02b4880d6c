import CForward
import Tensors

extension Tensor {
  /// `activation(x)`.
  func activated(_ activation: Activation) throws(Fault) -> Tensor {
    let y = try pass.tensor(extent, isImage: isImage)
    try pass.loop(.other) {
      unsafe cf_activate(
        pass.runtime.pool, memory.base, y.memory.base, pass.type, extent.count, activation.code)
    }
    return y
  }

  /// SiLU: `x σ(x)`.
  func silu() throws(Fault) -> Tensor { try activated(.silu) }

  /// `x + y`.
  func adding(_ other: Tensor) throws(Fault) -> Tensor {
    let y = try pass.tensor(extent, isImage: isImage)
    try pass.loop(.other) {
      unsafe cf_add(
        pass.runtime.pool, memory.base, other.memory.base, y.memory.base, pass.type, extent.count)
    }
    return y
  }

  /// The channels of both, one after the other.
  func joined(with other: Tensor) throws(Fault) -> Tensor {
    var joined = extent
    joined.channels += other.channels
    let y = try pass.tensor(joined, isImage: isImage)
    try pass.loop(.other) {
      unsafe cf_join(
        pass.runtime.pool, memory.base, channels * pass.valueSize, other.memory.base,
        other.channels * pass.valueSize, y.memory.base, extent.rows)
    }
    return y
  }

  /// `value * gelu(gate)` of the two halves of the channels.
  func gated() throws(Fault) -> Tensor {
    var half = extent
    half.channels /= 2
    let y = try pass.tensor(half, isImage: isImage)
    try pass.loop(.gate) {
      unsafe cf_gate(
        pass.runtime.pool, memory.base, y.memory.base, pass.type, half.rows, half.channels)
    }
    return y
  }

  /// `softmax(q kᵀ / √width) v` for each of `heads` heads, whose channels lie one after another.
  ///
  /// - `q`: `[n, queries, channels]`.
  /// - `k`: `[n, keys, channels]`.
  /// - `v`: as `k`.
  /// - `isCausal`: whether a row attends to itself and those before it only.
  static func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, isCausal: Bool = false
  ) throws(Fault) -> Tensor {
    let pass = q.pass
    let y = try pass.tensor(q.extent, isImage: q.isImage)
    let queries = q.extent.height * q.extent.width, keys = k.extent.height * k.extent.width
    let operations =
      4.0 * Double(q.extent.n) * Double(queries) * Double(keys) * Double(q.channels)
    try pass.loop(.attention, operations: operations) {
      var a = unsafe cf_attention()
      unsafe a.q = UnsafeRawPointer(q.memory.base)
      unsafe a.k = UnsafeRawPointer(k.memory.base)
      unsafe a.v = UnsafeRawPointer(v.memory.base)
      unsafe a.y = y.memory.base
      unsafe a.type = pass.type
      unsafe a.n = q.extent.n
      unsafe a.queries = queries
      unsafe a.keys = keys
      unsafe a.heads = heads
      unsafe a.width = q.channels / heads
      unsafe a.causal = isCausal ? 1 : 0
      return unsafe cf_attend(pass.runtime.pool, &a)
    }
    return y
  }
}

extension Tensor {
  /// The values as PyTorch orders them: `[n, channels, height, width]` or `[n, rows, channels]`.
  func values() throws(Fault) -> FloatArray {
    var array = FloatArray(shape)
    guard unsafe memory.base != nil else { return array }
    let e = extent
    let status = unsafe array.values.withUnsafeMutableBufferPointer { out in
      if isImage {
        return unsafe cf_channels_first(
          pass.runtime.pool, memory.base, out.baseAddress, pass.type, e.n, e.channels,
          e.height * e.width)
      }
      return unsafe cf_convert(
        pass.runtime.pool, memory.base, pass.type, out.baseAddress, CF_F32, e.count)
    }
    try pass.runtime.check(status)
    return array
  }

  /// The number of values that are NaN or infinite.
  var nonFiniteCount: Int {
    unsafe memory.base == nil ? 0 : cf_count_nonfinite(memory.base, pass.type, extent.count)
  }
}

extension Pass {
  /// An image from `[n, channels, height, width]`.
  func image(_ array: FloatArray) throws(Fault) -> Tensor {
    let shape = array.shape
    let e = Extent(n: shape[0], height: shape[2], width: shape[3], channels: shape[1])
    let tensor = try tensor(e, isImage: true)
    guard !observation.isPlanned else { return tensor }
    let status = unsafe array.values.withUnsafeBufferPointer { values in
      unsafe cf_channels_last(
        runtime.pool, values.baseAddress, tensor.memory.base, type, e.n, e.channels,
        e.height * e.width)
    }
    try runtime.check(status)
    return tensor
  }

  /// Rows from `[n, rows, channels]`.
  func rows(_ array: FloatArray) throws(Fault) -> Tensor {
    let shape = array.shape
    let tensor = try tensor(
      Extent(n: shape[0], height: shape[1], width: 1, channels: shape[2]), isImage: false)
    guard !observation.isPlanned else { return tensor }
    let status = unsafe array.values.withUnsafeBufferPointer { values in
      unsafe cf_convert(
        runtime.pool, values.baseAddress, CF_F32, tensor.memory.base, type, tensor.extent.count)
    }
    try runtime.check(status)
    return tensor
  }
}
