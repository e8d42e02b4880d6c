import CForward
import StableDiffusion
import Tensors

/// What stands at a leaf of a network that runs: one tensor.
///
/// The matrices of layers are kept in 16 bits where they come in 16 bits, which saves half of the memory,
/// and are widened while they are used. They are arranged when they are used first, as what computes
/// then wants them. Biases, scales and shifts are in single precision.
@safe final class Weight: @unchecked Sendable {
  /// How the values of a matrix lie.
  enum Arrangement: Equatable {
    /// `[outputs, inputs, taps]`, as in the model.
    case plain
    /// In panels, for our own loops.
    case panels
    /// In a layout of oneDNN.
    case library(Int32)
  }

  let parameter: Parameter
  /// How each value is stored.
  let type: cf_type
  let isPresent: Bool
  /// `nil` where an optional parameter is not in the model, and where a pass is only planned.
  ///
  /// It and how values lie change in passes only, for whoever holds the runtime's lock.
  private(set) var base: UnsafeMutableRawPointer?
  private(set) var arrangement = Arrangement.plain
  private var byteCount: Int

  /// Takes over memory from `cf_allocate`.
  init(_ parameter: Parameter, _ type: cf_type, _ base: UnsafeMutableRawPointer, _ byteCount: Int) {
    self.parameter = parameter
    self.type = type
    unsafe self.base = unsafe base
    self.byteCount = byteCount
    isPresent = true
  }

  /// A weight without values.
  init(_ parameter: Parameter, isPresent: Bool) {
    self.parameter = parameter
    type = CF_F32
    unsafe base = nil
    byteCount = 0
    self.isPresent = isPresent
  }

  deinit {
    if let base = unsafe base { unsafe cf_free(base, byteCount) }
  }

  /// Notes that the values lie otherwise now.
  func note(_ arrangement: Arrangement) { self.arrangement = arrangement }

  /// Makes room for `needed` bytes; what the values were is lost if there was less.
  func reserve(_ needed: Int) throws(Fault) {
    guard needed > byteCount else { return }
    guard let larger = unsafe cf_allocate(needed) else { throw .noMemory(needed) }
    if let base = unsafe base { unsafe cf_free(base, byteCount) }
    unsafe base = larger
    byteCount = needed
  }

  /// The layer it belongs to.
  var path: ModulePath { parameter.module }

  /// Values in single precision: those of biases, scales and shifts.
  var singles: UnsafePointer<Float>? {
    unsafe UnsafePointer(base?.assumingMemoryBound(to: Float.self))
  }

  /// The bytes in memory.
  var size: Int { byteCount }
}

extension Parameter {
  /// Whether it is a matrix, or kernels, of a layer.
  var isPacked: Bool {
    slot == .weight && (role == .conv || role == .linear)
  }

  /// How it is stored in memory for a runtime, when it comes as `dtype`.
  func storedType(_ dtype: DType, _ precision: Precision) -> DType {
    guard isPacked || role == .embedding else { return .f32 }
    if precision == .bf16 { return .bf16 }
    return dtype == .f16 || dtype == .bf16 ? dtype : .f32
  }

  /// The factors of its size: outputs, inputs and taps.
  var factors: (outputs: Int, inputs: Int, taps: Int) {
    let rest = shape.dropFirst(2).reduce(1, &*)
    return shape.count >= 2 ? (shape[0], shape[1], rest) : (shape[0], 1, 1)
  }

  /// The bytes that it takes in memory, in panels too.
  func storedSize(_ type: DType) -> Int {
    let (outputs, inputs, taps) = factors
    guard isPacked else { return elementCount * (type == .f32 ? 4 : 2) }
    return cf_packed_size(outputs, inputs, taps, type.loopType)
  }
}

extension DType {
  /// How the loops call it; for the three types that they know.
  var loopType: cf_type {
    switch self {
    case .f16: CF_F16
    case .bf16: CF_BF16
    default: CF_F32
    }
  }
}
