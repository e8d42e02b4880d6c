/// `A′ where s ≤ |A′| ≤ e, A elsewhere`: as ``TopKTensorSum``, with the lower bound included.
///
/// Origin: `top_k_tensor_sum` of sd-mecha, with α as width and β as offset.
///
/// Parameters: α, β.
struct TopKTensorSumInclusive: MergeMethod {
  let name = "top-k-tensor-sum-inclusive"
  let formula = "A′ where s ≤ |A′| ≤ e, A elsewhere"
  let inputs = MergeInputs.two
  let parameters = TopKTensorSum().parameters
  let reach = MergeReach.tensor

  func scratchBytesPerElement(inputs count: Int) -> Int { 20 }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    TopKTensorSum.merge(operands, settings, includesStart: true, into: &output)
  }
}
