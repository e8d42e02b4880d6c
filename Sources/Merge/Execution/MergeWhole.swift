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
    var settings = settings
    // Before memory is taken: the first pass needs it too.
    settings.survey = try surveyed()
    let result = settings
    return try wholePool.withScratch { scratch throws(Fault) in
      var unsound = UnsoundValues(count: info.elementCount)
      for (position, operand) in operands.enumerated() {
        let singles = scratch.singles[position]
        try plan.read(operand, into: singles)
        try check(singles, operand, info.elementCount, &unsound)
      }
      return try evaluate(index, operands.map(\.dtype), result, shape, unsound, scratch)
    }
  }

  /// Calls the method for a whole tensor and stores the result as the output's type.
  private func evaluate(
    _ index: Int, _ dtypes: [DType], _ settings: MergeSettings, _ shape: [Int],
    _ unsound: UnsoundValues, _ scratch: WholeScratch
  ) throws(Fault) -> WholeBytes {
    let info = tensors[index]
    let count = shape.reduce(1, *)
    let result = scratch.result
    result.withSingles(count) { span in
      plan.request.method.merge(
        Operands(Array(scratch.singles.prefix(dtypes.count)), dtypes: dtypes, elementCount: count),
        tensor: MergedTensor(name: info.name, shape: shape, output: info.dtype),
        settings: settings, into: &span)
    }
    let byteCount = count * info.dtype.bitCount / 8
    let bytes = WholeBytes(wholePool.resultBuffer(), byteCount: byteCount, of: wholePool)
    let memory = bytes.memory
    var output = memory.bytes(byteCount)
    let singles = result.bytes(count * 4)
    Conversion(from: .f32, to: info.dtype)?.convert(singles.bytes, into: &output)
    if info.dtype.hasNonFinite(output.bytes) { try judge(index, unsound.all, &output) }
    return bytes
  }

  /// Merges the channels that all operands have; the others are those of `rest`.
  private func computeChannels(
    _ index: Int, _ operands: [MergeOperand], _ settings: MergeSettings, _ channels: Int,
    _ rest: MergeOperand
  ) throws(Fault) -> WholeBytes {
    let info = tensors[index]
    let (outer, all) = (info.shape[0], info.shape[1])
    let inner = info.shape[2...].reduce(1, *)
    let (row, size) = (channels * inner, info.dtype.bitCount / 8)
    let count = outer * row
    return try wholePool.withScratch { scratch throws(Fault) in
      let spare = scratch.spare
      var unsound = UnsoundValues(count: count)
      for (position, operand) in operands.enumerated() {
        let total = plan.elementCount(of: operand)
        try plan.read(operand, into: spare)
        let source = spare.bytes(total * 4)
        let narrow = scratch.singles[position]
        var target = narrow.bytes(count * 4)
        for line in 0..<outer {
          var part = target._mutatingExtracting(line * row * 4..<(line + 1) * row * 4)
          part.copy(source.bytes, from: line * (total / outer) * 4)
        }
        try check(narrow, operand, count, &unsound)
      }
      var shape = info.shape
      shape[1] = channels
      let merged = try evaluate(
        index, operands.map(\.dtype), settings, shape, unsound, scratch)
      try plan.read(rest, into: spare)
      let bytes = WholeBytes(
        wholePool.resultBuffer(), byteCount: info.byteCount, of: wholePool)
      let memory = bytes.memory
      var output = memory.bytes(info.byteCount)
      let others = spare.bytes(info.elementCount * 4)
      Conversion(from: .f32, to: info.dtype)?.convert(others.bytes, into: &output)
      if info.dtype.hasNonFinite(output.bytes) {
        var unsound = UnsoundValues(count: info.elementCount)
        try check(spare, rest, info.elementCount, &unsound)
        try judge(index, unsound.all, &output)
      }
      let mergedMemory = merged.memory
      let mergedBytes = mergedMemory.bytes(merged.byteCount)
      for line in 0..<outer {
        let start = line * all * inner * size
        var part = output._mutatingExtracting(start..<start + row * size)
        part.copy(mergedBytes.bytes, from: line * row * size)
      }
      return bytes
    }
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

  /// Reads all values of an operand, as single-precision numbers.
  func read(_ operand: MergeOperand, into wide: Buffer) throws(Fault) {
    let source = inputs[operand.input].source
    let count = elementCount(of: operand)
    let size = operand.dtype.bitCount / 8
    var all = wide.bytes(count * 4)
    if operand.dtype == .f32 { return try source.read(operand.tensor, at: 0, into: &all) }
    let step = MergeScratch.elementCount
    let stored = Buffer(byteCount: step * size)
    for first in stride(from: 0, to: count, by: step) {
      let part = min(step, count - first)
      var bytes = stored.bytes(part * size)
      try source.read(operand.tensor, at: first * size, into: &bytes)
      var singles = all._mutatingExtracting(first * 4..<(first + part) * 4)
      Conversion(from: operand.dtype, to: .f32)?.convert(bytes.bytes, into: &singles)
    }
  }

  /// Lets a method look at every tensor that it will merge.
  ///
  /// The answers are joined in the order of the tensors' names, whichever thread found them.
  func survey(
    by method: any SurveyingMergeMethod, width: Int, _ pool: WholeScratchPool
  ) throws(Fault) -> MergeSurvey {
    let merged = tensors.indices.filter {
      if case .merge = tensors[$0].operation { true } else { false }
    }.sorted { tensors[$0].info.name < tensors[$1].info.name }
    let samples = Results<[Float]>(repeating: [], count: merged.count)
    try forEachIndex(below: merged.count, width: width) { position throws(Fault) in
      let tensor = tensors[merged[position]]
      guard case .merge(let operands, _) = tensor.operation else { return }
      samples[position] = try pool.withScratch { scratch throws(Fault) in
        for (operand, wide) in zip(operands, scratch.singles) { try read(operand, into: wide) }
        return method.survey(
          Operands(
            Array(scratch.singles.prefix(operands.count)), dtypes: operands.map(\.dtype),
            elementCount: tensor.info.elementCount),
          tensor: MergedTensor(
            name: tensor.info.name, shape: tensor.info.shape, output: tensor.info.dtype))
      }
    }
    return method.conclude(samples.values.flatMap { $0 })
  }
}
