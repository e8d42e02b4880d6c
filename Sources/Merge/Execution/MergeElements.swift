import StableDiffusion
import Tensors

extension MergedSource {
  /// Computes the values `range` of a tensor whose values do not depend on one another.
  func compute(
    _ index: Int, _ range: Range<Int>, _ scratch: MergeScratch, into output: inout MutableRawSpan
  ) throws(Fault) {
    let tensor = plan.tensors[index]
    let size = tensor.info.dtype.bitCount / 8
    if case .positions = tensor.operation {
      for position in range {
        output.storeBytes(
          of: Int64(position).littleEndian, toByteOffset: (position - range.lowerBound) * 8,
          as: Int64.self)
      }
      return
    }
    if case .copy(let operand) = tensor.operation, operand.dtype == tensor.info.dtype {
      try copy(index, operand, range, into: &output)
      return
    }
    var first = range.lowerBound
    while first < range.upperBound {
      let count = min(MergeScratch.elementCount, range.upperBound - first)
      let start = (first - range.lowerBound) * size
      var piece = output._mutatingExtracting(start..<start + count * size)
      try computePiece(index, first, count, scratch, into: &piece)
      first += count
    }
  }

  /// Copies values that are stored as they are wanted.
  private func copy(
    _ index: Int, _ operand: MergeOperand, _ range: Range<Int>, into output: inout MutableRawSpan
  ) throws(Fault) {
    // Types below a byte are counted in bytes by the caller.
    let size = max(1, operand.dtype.bitCount / 8)
    try plan.inputs[operand.input].source.read(
      operand.tensor, at: range.lowerBound * size, into: &output)
    if operand.dtype.hasNonFinite(output.bytes) {
      try judge(index, range.lowerBound, [operand], &output)
    }
  }

  /// Computes at most as many values as fit the scratch memory.
  private func computePiece(
    _ index: Int, _ first: Int, _ count: Int, _ scratch: MergeScratch,
    into output: inout MutableRawSpan
  ) throws(Fault) {
    let tensor = plan.tensors[index]
    let operands = tensor.operands
    for (position, operand) in operands.enumerated() {
      let size = operand.dtype.bitCount / 8
      let memory = scratch.stored[position]
      var bytes = memory.bytes(count * size)
      try plan.inputs[operand.input].source.read(operand.tensor, at: first * size, into: &bytes)
    }
    let isSound: Bool
    switch tensor.operation {
    case .copy(let operand):
      if let conversion = Conversion(from: operand.dtype, to: tensor.info.dtype) {
        let memory = scratch.stored[0]
        let stored = memory.bytes(count * operand.dtype.bitCount / 8)
        conversion.convert(stored.bytes, into: &output)
      }
      isSound = !tensor.info.dtype.hasNonFinite(output.bytes)
    case .merge(let operands, let settings):
      if let linear = linear(operands, settings, tensor.info.dtype) {
        isSound = merge(linear, count, scratch, into: &output) == 0
      } else {
        widen(operands, count, scratch)
        evaluate(tensor, settings, first, count, scratch, into: &output)
        isSound = !tensor.info.dtype.hasNonFinite(output.bytes)
      }
    case .mergeChannels, .positions: preconditionFailure("computed elsewhere")
    }
    if !isSound { try judge(index, first, operands, &output) }
  }

  /// Merges the stored values of two or three operands; how many results are not finite.
  private func merge(
    _ linear: LinearMerge, _ count: Int, _ scratch: MergeScratch,
    into output: inout MutableRawSpan
  ) -> Int {
    let (first, second) = (scratch.stored[0], scratch.stored[1])
    let a = first.bytes(count * linear.sources[0].bitCount / 8)
    let b = second.bytes(count * linear.sources[1].bitCount / 8)
    guard linear.sources.count == 3 else {
      return linear.merge(a.bytes, b.bytes, b.bytes, into: &output)
    }
    let third = scratch.stored[2]
    let c = third.bytes(count * linear.sources[2].bitCount / 8)
    return linear.merge(a.bytes, b.bytes, c.bytes, into: &output)
  }

  /// The fast way to compute a tensor, if there is one.
  private func linear(
    _ operands: [MergeOperand], _ settings: MergeSettings, _ target: DType
  ) -> LinearMerge? {
    let formula: LinearMerge.Formula
    switch plan.request.method {
    case is WeightedSum: formula = .weightedSum
    case is AddDifference: formula = .addDifference
    default: return nil
    }
    guard settings.arithmetic != .webui else { return nil }
    return LinearMerge(
      formula, from: operands.map(\.dtype), to: target, weight: settings.alpha,
      usesSingles: settings.arithmetic == .lerp)
  }

  private func widen(_ operands: [MergeOperand], _ count: Int, _ scratch: MergeScratch) {
    for (position, operand) in operands.enumerated() {
      let (narrow, wide) = (scratch.stored[position], scratch.singles[position])
      let stored = narrow.bytes(count * operand.dtype.bitCount / 8)
      var singles = wide.bytes(count * 4)
      Conversion(from: operand.dtype, to: .f32)?.convert(stored.bytes, into: &singles)
    }
  }

  /// Calls the method for a piece and stores the result as the output's type.
  private func evaluate(
    _ tensor: PlannedTensor, _ settings: MergeSettings, _ first: Int, _ count: Int,
    _ scratch: MergeScratch, into output: inout MutableRawSpan
  ) {
    let dtypes = tensor.operands.map(\.dtype)
    let operands = Operands(
      Array(scratch.singles.prefix(dtypes.count)), dtypes: dtypes, elementCount: count)
    let piece = MergedTensor(
      name: tensor.info.name, shape: tensor.info.shape, first: first, output: tensor.info.dtype)
    scratch.result.withSingles(count) { result in
      plan.request.method.merge(operands, tensor: piece, settings: settings, into: &result)
    }
    let result = scratch.result
    let singles = result.bytes(count * 4)
    Conversion(from: .f32, to: tensor.info.dtype)?.convert(singles.bytes, into: &output)
  }
}
