/// `B in columns ⌊βn⌋ … ⌊(α + β)n⌋ of the second axis, A elsewhere`: exchanges whole columns.
///
/// n is the number of columns if there are more than 100, and the number of rows otherwise, as in
/// SuperMerger; bounds beyond the last column stop there. A tensor of one axis is treated as by
/// ``TensorSum``, and so is a range that wraps around.
///
/// Origin: "tensor2" of SuperMerger.
///
/// Parameters: α and β from 0 to 1.
struct TensorSumColumns: MergeMethod {
  let name = "tensor-sum-columns"
  let formula = "B in columns ⌊βn⌋ … ⌊(α + β)n⌋ of the second axis, A elsewhere"
  let inputs = MergeInputs.two
  let parameters: [MergeParameter] = [.alpha(0.5, in: 0...1), .beta(0, in: 0...1)]
  let reach = MergeReach.elements

  func passthrough(_ settings: MergeSettings) -> Int? { settings.alpha == 0 ? 0 : nil }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    guard tensor.shape.count > 1 else {
      TensorSum().merge(operands, tensor: tensor, settings: settings, into: &output)
      return
    }
    let count = tensor.shape[1] > 100 ? tensor.shape[1] : tensor.shape[0]
    Region(truncatingWidth: settings.alpha, offset: settings.beta, of: count)
      .choose(operands, tensor, axis: 1, into: &output)
  }
}
