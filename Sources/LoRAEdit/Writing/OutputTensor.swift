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
    guard overflows == 0, values.allSatisfy(\.isFinite) else {
      throw Fault(
        .loraEditOverflow, "has values that \(dtype) cannot hold", tensor: name,
        expected: "finite values", found: "\(overflows) too large",
        hint: "use --dtype f32 or bf16")
    }
    try self.init(name, dtype, shape, bytes: stored)
  }
}

/// One module of a LoRA that is being written.
public struct OutputModule: Sendable {
  /// Its tensors.
  let tensors: [OutputTensor]

  /// A plain product in a spelling.
  ///
  /// Strength and α are part of `up`, so that α is the rank and every program agrees.
  init(
    _ change: LowRank, of target: OutputTarget, in dialect: LoRADialect, dtype: DType
  ) throws(Fault) {
    let shapes = FactorShapes(weight: target.weightShape, rank: change.rank)
    var tensors: [OutputTensor] = []
    if let name = dialect.name(of: .up, of: target.target) {
      tensors.append(try OutputTensor(name, dtype, shapes.up, values: change.up.values))
    }
    if let name = dialect.name(of: .down, of: target.target) {
      tensors.append(try OutputTensor(name, dtype, shapes.down, values: change.down.values))
    }
    // F32 holds every rank; BF16 would not.
    if let name = dialect.name(of: .alpha, of: target.target) {
      tensors.append(try OutputTensor(name, .f32, [], values: [Float(change.rank)]))
    }
    self.tensors = tensors
  }

  init(tensors: [OutputTensor]) { self.tensors = tensors }
}
