/// `B in rows ⌊βn⌋ … ⌊(α + β)n⌋ of the first axis, A elsewhere`: exchanges whole rows.
///
/// If α + β > 1 the range wraps around: rows ⌊(α + β − 1)n⌋ … ⌊βn⌋ are those of A. A single number
/// stays that of A.
///
/// Origin: "tensor" of SuperMerger, `tensor_sum` of sd-meh. ``TensorSumRound`` and
/// ``TensorSumColumns`` are variants.
///
/// Parameters: α and β from 0 to 1.
struct TensorSum: MergeMethod {
  let name = "tensor-sum"
  let formula = "B in rows ⌊βn⌋ … ⌊(α + β)n⌋ of the first axis, A elsewhere"
  let inputs = MergeInputs.two
  let parameters: [MergeParameter] = [.alpha(0.5, in: 0...1), .beta(0, in: 0...1)]
  let reach = MergeReach.elements

  func passthrough(_ settings: MergeSettings) -> Int? { settings.alpha == 0 ? 0 : nil }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    guard let rows = tensor.shape.first else {
      for i in output.indices { output[i] = operands[0][i] }
      return
    }
    Region(truncatingWidth: settings.alpha, offset: settings.beta, of: rows)
      .choose(operands, tensor, axis: 0, into: &output)
  }
}
