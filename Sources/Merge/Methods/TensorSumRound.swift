/// `B in rows ⌊βn⌉ … ⌊(α + β)n⌉ of the first axis, A elsewhere`: exchanges whole rows.
///
/// The bounds are rounded to the nearest row, halves to the even one. The range wraps around; a
/// negative α extends it backwards from β, and β counts modulo 1. A single number is that of B if
/// α > ½.
///
/// Origin: `tensor_sum` of sd-mecha, with α as width and β as offset.
///
/// Parameters: α, β.
struct TensorSumRound: MergeMethod {
  let name = "tensor-sum-round"
  let formula = "B in rows ⌊βn⌉ … ⌊(α + β)n⌉ of the first axis, A elsewhere"
  let inputs = MergeInputs.two
  let parameters: [MergeParameter] = [.alpha(0.5, in: -1...1), .beta(0, in: -1...1)]
  let reach = MergeReach.elements

  func passthrough(_ settings: MergeSettings) -> Int? { settings.alpha == 0 ? 0 : nil }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    guard let rows = tensor.shape.first else {
      let chosen = settings.alpha > 0.5 ? 1 : 0
      for i in output.indices { output[i] = operands[chosen][i] }
      return
    }
    Region(width: settings.alpha, offset: settings.beta, of: rows)
      .choose(operands, tensor, axis: 0, into: &output)
  }
}
