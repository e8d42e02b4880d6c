import LinearAlgebra
import LoRA
public import Tensors

/// A tensor that will be written, with its values.
public struct OutputTensor: Sendable {
  /// Name, type and shape.
  public let info: TensorInfo
  /// The values, as they will lie in the file.
  let bytes: [UInt8]

  /// Values as they are.
  init(_ name: TensorName, _ dtype: DType, _ shape: [Int], bytes: [UInt8]) throws(Fault) {
    guard let info = try? TensorInfo(name: name, dtype: dtype, shape: shape),
      info.byteCount == bytes.count
    else {
      throw Fault(
        .loraFactors, "has another number of values than its shape", tensor: name,
        found: "\(bytes.count) bytes for \(shape)")
    }
    self.info = info
    self.bytes = bytes
  }

  /// Single-precision values, rounded to `dtype`.
  ///
  /// - Throws: ``Rule/loraEditOverflow`` if one becomes infinite, or is no number.
  init(_ name: TensorName, _ dtype: DType, _ shape: [Int], values: [Float]) throws(Fault) {
    guard let conversion = Conversion(from: .f32, to: dtype),
      let byteCount = try? dtype.byteCount(of: values.count)
    else {
      throw Fault(.loraType, "cannot be stored as \(dtype)", tensor: name)
    }
    var stored = [UInt8](repeating: 0, count: byteCount)
    var span = stored.mutableSpan
    var output = unsafe span.mutableBytes
    let overflows = unsafe conversion.convert(values.span.bytes, into: &output)
    let infinite = values.count { !$0.isFinite }
    guard overflows == 0, infinite == 0 else {
      throw Fault(
        .loraEditOverflow, "has values that \(infinite > 0 ? .f32 : dtype) cannot hold",
        tensor: name, expected: "finite values", found: "\(max(overflows, infinite)) too large",
        hint: infinite > 0
          ? "use a lower strength; a LoRA this strong changes nothing for the better"
          : "use --dtype f32 or bf16")
    }
    try self.init(name, dtype, shape, bytes: stored)
  }

  /// The values as they will be read.
  var singles: [Float] {
    guard let conversion = Conversion(from: info.dtype, to: .f32) else { return [] }
    var values = [Float](repeating: 0, count: info.elementCount)
    var span = values.mutableSpan
    var output = unsafe span.mutableBytes
    unsafe conversion.convert(bytes.span.bytes, into: &output)
    return values
  }
}

/// One module of a LoRA that is being written.
public struct OutputModule: Sendable {
  /// Its tensors.
  let tensors: [OutputTensor]
  /// ‖ΔW − ΔW'‖², where ΔW' is what the tensors make after their rounding.
  let rounding: Double
  /// Whether α is the rank.
  let hasPlainAlpha: Bool

  /// A plain product in a spelling.
  ///
  /// Strength and α are part of the factors, so that α is the rank and every program agrees; only
  /// a change too weak or too strong for half precision has an α of its own, rank times a power of
  /// four.
  init(
    _ exact: LowRank, of target: OutputTarget, in dialect: LoRADialect, dtype: DType,
    _ algebra: LinearAlgebra
  ) throws(Fault) {
    let balanced = exact.balanced()
    let shift = dtype == .f16 && dialect.hasAlpha ? balanced.halfPrecisionShift : 0
    let change = balanced.shifted(by: shift)
    let shapes = FactorShapes(weight: target.weightShape, rank: change.rank)
    var tensors: [OutputTensor] = []
    if let name = dialect.name(of: .up, of: target.target) {
      tensors.append(try OutputTensor(name, dtype, shapes.up, values: change.up.values))
    }
    if let name = dialect.name(of: .down, of: target.target) {
      tensors.append(try OutputTensor(name, dtype, shapes.down, values: change.down.values))
    }
    // F32 holds every rank; BF16 would not.
    let scale = Double(sign: .plus, exponent: -2 * shift, significand: 1)
    if let name = dialect.name(of: .alpha, of: target.target) {
      let alpha = Float(Double(change.rank) * scale)
      tensors.append(try OutputTensor(name, .f32, [], values: [alpha]))
    }
    self.tensors = tensors
    hasPlainAlpha = shift == 0
    let stored = LowRank(
      up: Matrix(rows: change.up.rows, columns: change.rank, values: tensors[0].singles),
      down: Matrix(rows: change.rank, columns: change.down.columns, values: tensors[1].singles))
    rounding = try change.squaredDistance(to: stored, algebra) * scale * scale
  }
}
