import StableDiffusion
import Tensors

extension MergedSource {
  /// Computes a tensor in one piece.
  func computeWhole(_ index: Int) throws(Fault) -> WholeBytes {
    let tensor = plan.tensors[index]
    switch tensor.operation {
    case .merge(let operands, let settings):
      return try computeWhole(index, operands, settings, shape: tensor.info.shape)
    case .mergeChannels(let operands, let settings, let channels, let rest):
      return try computeChannels(index, operands, settings, channels, rest)
    case .copy, .positions: preconditionFailure("computed piece by piece")
    }
  }

  private func computeWhole(
    _ index: Int, _ operands: [MergeOperand], _ settings: MergeSettings, shape: [Int]
  ) throws(Fault) -> WholeBytes {
    let info = tensors[index]
    var wide: [Buffer] = []
    var unsound = UnsoundValues(count: info.elementCount)
    for operand in operands {
      let singles = try plan.singles(of: operand)
      try check(singles, operand, info.elementCount, &unsound)
      wide.append(singles)
    }
    return try evaluate(index, wide, operands.map(\.dtype), settings, shape, unsound)
  }

  /// Calls the method for a whole tensor and stores the result as the output's type.
  private func evaluate(
    _ index: Int, _ wide: [Buffer], _ dtypes: [DType], _ settings: MergeSettings, _ shape: [Int],
    _ unsound: UnsoundValues
  ) throws(Fault) -> WholeBytes {
    let info = tensors[index]
    let count = shape.reduce(1, *)
    var settings = settings
    settings.survey = try surveyed()
    let result = Buffer(byteCount: max(1, count * 4))
    result.withSingles(count) { span in
      plan.request.method.merge(
        Operands(wide, dtypes: dtypes, elementCount: count),
        tensor: MergedTensor(name: info.name, shape: shape, output: info.dtype),
        settings: settings, into: &span)
    }
    let byteCount = count * info.dtype.bitCount / 8
    let memory = Buffer(byteCount: max(1, byteCount))
    var output = memory.bytes(byteCount)
    let singles = result.bytes(count * 4)
    Conversion(from: .f32, to: info.dtype)?.convert(singles.bytes, into: &output)
    if info.dtype.hasNonFinite(output.bytes) { try judge(index, unsound.all, &output) }
    return WholeBytes(memory, byteCount: byteCount)
  }

  /// Merges the channels that all operands have; the others are those of `rest`.
  private func computeChannels(
    _ index: Int, _ operands: [MergeOperand], _ settings: MergeSettings, _ channels: Int,
    _ rest: MergeOperand
  ) throws(Fault) -> WholeBytes {
    let info = tensors[index]
    let (outer, all) = (info.shape[0], info.shape[1])
    let inner = info.shape[2...].reduce(1, *)
    let count = outer * channels * inner
    var wide: [Buffer] = []
    var unsound = UnsoundValues(count: count)
    for operand in operands {
      let total = plan.elementCount(of: operand)
      let singles = try plan.singles(of: operand)
      let row = total / max(1, outer)
      let source = singles.bytes(total * 4)
      let narrow = Buffer(byteCount: max(1, count * 4))
      var target = narrow.bytes(count * 4)
      for position in 0..<outer {
        var part = target._mutatingExtracting(
          position * channels * inner * 4..<(position + 1) * channels * inner * 4)
        part.copy(source.bytes, from: position * row * 4)
      }
      try check(narrow, operand, count, &unsound)
      wide.append(narrow)
    }
    var shape = info.shape
    shape[1] = channels
    let merged = try evaluate(index, wide, operands.map(\.dtype), settings, shape, unsound)

    let others = try plan.singles(of: rest)
    let size = info.dtype.bitCount / 8
    let memory = Buffer(byteCount: max(1, info.byteCount))
    var output = memory.bytes(info.byteCount)
    let otherSingles = others.bytes(info.elementCount * 4)
    Conversion(from: .f32, to: info.dtype)?.convert(otherSingles.bytes, into: &output)
    if info.dtype.hasNonFinite(output.bytes) {
      var unsound = UnsoundValues(count: info.elementCount)
      try check(others, rest, info.elementCount, &unsound)
      try judge(index, unsound.all, &output)
    }
    let (length, mergedMemory) = (channels * inner * size, merged.memory)
    let mergedBytes = mergedMemory.bytes(merged.byteCount)
    for position in 0..<outer {
      let start = position * all * inner * size
      var part = output._mutatingExtracting(start..<start + length)
      part.copy(mergedBytes.bytes, from: position * length)
    }
    return WholeBytes(memory, byteCount: info.byteCount)
  }

  /// Notes which values of an operand are not finite.
  ///
  /// - Throws: ``Rule/mergeNonFinite`` unless that is allowed.
  private func check(
    _ singles: Buffer, _ operand: MergeOperand, _ count: Int, _ unsound: inout UnsoundValues
  ) throws(Fault) {
    let bytes = singles.bytes(count * 4)
    guard DType.f32.hasNonFinite(bytes.bytes) else { return }
    var flags = unsound.all
    var found: (value: Float, position: Int)?
    singles.withSingles(count) { span in
      for position in 0..<count where !span[position].isFinite {
        if found == nil { found = (span[position], position) }
        flags[position] = true
      }
    }
    if let found, !plan.request.policies.allowsNonFinite {
      throw nonFinite(operand, found.value, at: found.position)
    }
    // What one value does to the others is up to the method.
    unsound.flags =
      plan.request.method.reach == .elements
      ? flags : Array(repeating: true, count: count)
  }
}

/// Which values of a tensor have operands that are not finite; all that may be affected.
private struct UnsoundValues {
  let count: Int
  /// One for each value; empty while there is none.
  var flags: [Bool] = []

  init(count: Int) { self.count = count }

  /// One for each value.
  var all: [Bool] { flags.isEmpty ? Array(repeating: false, count: count) : flags }
}

extension MergePlan {
  /// The number of values of an operand.
  func elementCount(of operand: MergeOperand) -> Int {
    inputs[operand.input].source.tensors[operand.tensor].elementCount
  }

  /// All values of an operand as single-precision numbers.
  func singles(of operand: MergeOperand) throws(Fault) -> Buffer {
    let source = inputs[operand.input].source
    let count = elementCount(of: operand)
    let size = operand.dtype.bitCount / 8
    let wide = Buffer(byteCount: max(1, count * 4))
    if operand.dtype == .f32 {
      var bytes = wide.bytes(count * 4)
      try source.read(operand.tensor, at: 0, into: &bytes)
      return wide
    }
    let step = MergeScratch.elementCount
    let stored = Buffer(byteCount: step * size)
    var all = wide.bytes(count * 4)
    for first in stride(from: 0, to: count, by: step) {
      let part = min(step, count - first)
      var bytes = stored.bytes(part * size)
      try source.read(operand.tensor, at: first * size, into: &bytes)
      var singles = all._mutatingExtracting(first * 4..<(first + part) * 4)
      Conversion(from: operand.dtype, to: .f32)?.convert(bytes.bytes, into: &singles)
    }
    return wide
  }

  /// Lets a method look at every tensor that it will merge.
  ///
  /// The answers are joined in the order of the tensors' names, whichever thread found them.
  func survey(
    by method: any SurveyingMergeMethod, width: Int
  ) throws(Fault) -> MergeSurvey {
    let merged = tensors.indices.filter {
      if case .merge = tensors[$0].operation { true } else { false }
    }.sorted { tensors[$0].info.name < tensors[$1].info.name }
    let samples = Results<[Float]>(repeating: [], count: merged.count)
    try forEachIndex(below: merged.count, width: width) { position throws(Fault) in
      let tensor = tensors[merged[position]]
      guard case .merge(let operands, _) = tensor.operation else { return }
      var wide: [Buffer] = []
      for operand in operands { wide.append(try singles(of: operand)) }
      samples[position] = method.survey(
        Operands(
          wide, dtypes: operands.map(\.dtype), elementCount: tensor.info.elementCount),
        tensor: MergedTensor(
          name: tensor.info.name, shape: tensor.info.shape, output: tensor.info.dtype))
    }
    return method.conclude(samples.values.flatMap { $0 })
  }
}
