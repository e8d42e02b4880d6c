import StableDiffusion
import Tensors

extension MergedSource {
  /// Decides what becomes of results that are infinite or NaN.
  ///
  /// Rare, so that it may be slow: reads the operands once more.
  ///
  /// - Parameters:
  ///   - index: the tensor.
  ///   - first: the number of the first value in `output`.
  ///   - operands: what the values were computed from, each at the same position.
  ///   - output: the results, in which what is too large may be clamped.
  /// - Throws: ``Rule/mergeNonFinite``, ``Rule/mergeOverflow`` or ``Rule/mergeUndefined``.
  func judge(
    _ index: Int, _ first: Int, _ operands: [MergeOperand], _ output: inout MutableRawSpan
  ) throws(Fault) {
    let info = tensors[index]
    let size = info.dtype.bitCount / 8
    let count = output.byteCount / size
    var unsound = [Bool](repeating: false, count: count)
    for operand in operands {
      let values = try values(of: operand, first, count)
      for position in 0..<count where !values[position].isFinite {
        unsound[position] = true
        guard plan.request.policies.allowsNonFinite else {
          throw nonFinite(operand, values[position], at: first + position)
        }
      }
    }
    try judge(index, unsound, &output)
  }

  /// Decides for each result that is not finite; `unsound` tells which had such operands.
  func judge(_ index: Int, _ unsound: [Bool], _ output: inout MutableRawSpan) throws(Fault) {
    let info = tensors[index]
    guard let conversion = Conversion(from: info.dtype, to: .f32) else { return }
    let size = info.dtype.bitCount / 8
    let largest = Self.largest(of: info.dtype)
    var clamped = 0, allowed = 0
    for position in unsound.indices {
      let value = Self.single(output.bytes, at: position * size, conversion)
      guard !value.isFinite else { continue }
      if unsound[position] {
        allowed += 1
      } else if value.isNaN {
        throw Fault(
          .mergeUndefined, "has no finite result though all inputs are finite",
          tensor: info.name, hint: "method \(plan.request.method.name) is not defined there")
      } else if plan.request.policies.overflow == .clamp {
        clamped += 1
        var part = output._mutatingExtracting(position * size..<(position + 1) * size)
        let bound = value < 0 ? -largest : largest
        let single = Buffer(byteCount: 4)
        var bytes = single.bytes(4)
        bytes.storeBytes(of: bound.bitPattern.littleEndian, as: UInt32.self)
        Conversion(from: .f32, to: info.dtype)?.convert(bytes.bytes, into: &part)
      } else {
        throw Fault(
          .mergeOverflow, "has a result that is too large for \(info.dtype)", tensor: info.name,
          expected: "at most \(largest)",
          hint: "--overflow clamp stores the largest number, --overflow keep-f32 stores the tensor "
            + "as F32")
      }
    }
    guard clamped + allowed > 0 else { return }
    remarks.update(index) {
      $0.clampedCount += clamped
      $0.nonFiniteCount += allowed
    }
  }

  /// The fault of an input that holds `value`.
  func nonFinite(_ operand: MergeOperand, _ value: Float, at position: Int) -> Fault {
    let source = plan.inputs[operand.input].source
    return Fault(
      .mergeNonFinite, "holds a value that is not finite", path: source.path,
      tensor: source.tensors[operand.tensor].name, expected: "finite numbers",
      found: "\(value.isNaN ? "NaN" : value < 0 ? "-inf" : "inf") at position \(position)",
      hint: "--allow-non-finite merges it as it is")
  }

  /// The values of an operand, as single-precision numbers.
  private func values(
    of operand: MergeOperand, _ first: Int, _ count: Int
  ) throws(Fault) -> [Float] {
    let size = operand.dtype.bitCount / 8
    let stored = Buffer(byteCount: count * size)
    var bytes = stored.bytes(count * size)
    try plan.inputs[operand.input].source.read(operand.tensor, at: first * size, into: &bytes)
    guard let conversion = Conversion(from: operand.dtype, to: .f32) else {
      return Array(repeating: 0, count: count)
    }
    let wide = Buffer(byteCount: count * 4)
    var singles = wide.bytes(count * 4)
    conversion.convert(bytes.bytes, into: &singles)
    return (0..<count).map { position in
      Float(bitPattern: singles.bytes.unsafeLoadBits(at: position * 4))
    }
  }

  private static func single(_ bytes: RawSpan, at offset: Int, _ conversion: Conversion) -> Float {
    let buffer = Buffer(byteCount: 4)
    var single = buffer.bytes(4)
    let value = bytes.extracting(offset..<offset + conversion.source.bitCount / 8)
    conversion.convert(value, into: &single)
    return Float(bitPattern: single.bytes.unsafeLoadBits(at: 0))
  }

  private static func largest(of dtype: DType) -> Float {
    switch dtype {
    case .f16: Float(Float16.greatestFiniteMagnitude)
    case .bf16: Float(bitPattern: 0x7F7F_0000)
    default: .greatestFiniteMagnitude
    }
  }
}

extension RawSpan {
  /// Four bytes as a number.
  fileprivate func unsafeLoadBits(at offset: Int) -> UInt32 {
    unsafe UInt32(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
}
