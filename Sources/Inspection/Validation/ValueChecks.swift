import Checkpoint
import StableDiffusion
public import Tensors

/// Reads every value of a model once and tells what is wrong with them.
///
/// - Parameters:
///   - source: the model.
///   - selection: the tensors to look at.
///   - width: the number of threads.
/// - Returns: findings about NaN, infinities, zeros, constants and values at the edge of overflow,
///   and about damaged `position_ids`.
/// - Throws: what reading throws.
public func checkValues(
  of source: any TensorSource, selection: [Int], width: Int
) throws(Fault) -> [Fault] {
  let statistics = try source.statistics(of: selection, width: width, withMoments: false)
  return try checkValues(of: source, selection: selection, statistics: statistics)
}

/// ``checkValues(of:selection:width:)`` for values that were examined already.
package func checkValues(
  of source: any TensorSource, selection: [Int], statistics: [TensorStatistics]
) throws(Fault) -> [Fault] {
  var findings: [Fault] = []
  for (index, found) in zip(selection, statistics) {
    let tensor = source.tensors[index]
    let offset = source.extent(of: index)?.offset
    for var fault in faults(in: found, of: tensor) {
      fault.tensor = tensor.name
      fault.path = source.path
      fault.offset = offset
      fault.byteCount = offset == nil ? nil : tensor.byteCount
      findings.append(fault)
    }
    if tensor.name.hasSuffix("position_ids") {
      findings += try positionFaults(of: index, in: source)
    }
  }
  return findings
}

/// What the statistics of one tensor say against it.
private func faults(in found: TensorStatistics, of tensor: TensorInfo) -> [Fault] {
  var faults: [Fault] = []
  if found.nanCount > 0 {
    faults.append(
      Fault(
        .notANumber, "holds NaN: \(found.nanCount) of \(found.count) values",
        hint: "pictures come out black; take the tensor from an undamaged model"))
  }
  if found.infinityCount > 0 {
    faults.append(
      Fault(
        .infiniteValue, "holds infinities: \(found.infinityCount) of \(found.count) values",
        hint: tensor.dtype == .f16
          ? "a value left the range of F16; convert the original again, or keep F32"
          : "take the tensor from an undamaged model"))
  }
  if found.largeCount > 0, tensor.dtype == .f16 {
    faults.append(
      Fault(
        .nearOverflow,
        "holds \(found.largeCount) values beyond ±60,000, close to the limit of F16 (65,504)",
        hint: "keep this tensor in F32"))
  }
  guard let parameter = Schema.sd15[tensor.name], parameter.slot == .weight else { return faults }
  switch parameter.role {
  case .conv, .linear, .embedding:
    if found.isZero, found.count > 1 {
      faults.append(Fault(.allZero, "holds nothing but zeros"))
    } else if found.isConstant {
      faults.append(
        Fault(
          .constantTensor, "holds the same value throughout", found: found.minimum.map { "\($0)" }))
    }
  case .groupNorm, .layerNorm:
    // One throughout is what a norm starts with, and small models may keep; zero silences it.
    if found.isZero { faults.append(Fault(.allZero, "holds nothing but zeros")) }
  }
  return faults
}

/// What is wrong with the token positions, which must be 0, 1, 2, ….
private func positionFaults(of index: Int, in source: any TensorSource) throws(Fault) -> [Fault] {
  let tensor = source.tensors[index]
  // Real ones have 77 values; anything much larger is not what the name says.
  guard tensor.elementCount <= 1 << 16 else {
    return [
      Fault(
        .positionsType, "is no list of positions", path: source.path, tensor: tensor.name,
        expected: "int64 [1, 77]", found: "\(tensor.dtype) \(tensor.shape)")
    ]
  }
  var faults: [Fault] = []
  if tensor.dtype != .i64 || tensor.shape != [1, tensor.elementCount] {
    faults.append(
      Fault(
        .positionsType, "is not stored as programs expect", path: source.path,
        tensor: tensor.name, expected: "I64 [1, \(tensor.elementCount)]",
        found: "\(tensor.dtype) \(tensor.shape)", hint: "convert with --fix-position-ids"))
  }
  guard let values = try numbers(of: index, in: source) else { return faults }
  let wrong = values.indices.filter { values[$0] != Double($0) }
  if let first = wrong.first {
    // What programs use is the whole part.
    let cut = wrong.filter { values[$0].rounded(.towardZero) != Double($0) }
    let list = (cut.isEmpty ? wrong : cut).prefix(8).map(String.init).joined(separator: ", ")
    let more = (cut.isEmpty ? wrong : cut).count > 8 ? ", …" : ""
    faults.append(
      Fault(
        .damagedPositions,
        cut.isEmpty
          ? "holds fractions at positions \(list)\(more)"
          : "holds wrong values at positions \(list)\(more)",
        path: source.path, tensor: tensor.name, expected: "\(first) at position \(first)",
        found: "\(values[first])", hint: "convert with --fix-position-ids"))
  }
  return faults
}

/// The values of a small tensor, or `nil` for types that are no plain numbers.
private func numbers(of index: Int, in source: any TensorSource) throws(Fault) -> [Double]? {
  let tensor = source.tensors[index]
  let bytes = try source.bytes(of: index)
  if tensor.dtype == .i64 {
    return stride(from: 0, to: bytes.count, by: 8).map { start in
      let bits = bytes[start..<start + 8].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      return Double(Int64(bitPattern: bits))
    }
  }
  guard let conversion = Conversion(from: tensor.dtype, to: .f32) else { return nil }
  var values = [Float](repeating: 0, count: tensor.elementCount)
  var span = values.mutableSpan
  var raw = unsafe span.mutableBytes
  _ = unsafe conversion.convert(bytes.span.bytes, into: &raw)
  return values.map { Double($0) }
}
