/// `B + t(mean of Mᵢ − B)` with `t = Nc / (1 + (N − 1)c)`: a step as long as the models agree.
///
/// c is the mean cosine of the angles between the differences from the base, over all pairs of the
/// N models. Where 1 + (N − 1)c vanishes the result is B.
///
/// Origin: `model_stock` of mergekit; Jang et al., "Model stock: all we need is just a few
/// fine-tuned models", 2024.
///
/// Parameters: none.
struct ModelStock: MergeMethod {
  let name = "model-stock"
  let formula = "B + t(mean of Mᵢ − B) with t = Nc / (1 + (N − 1)c)"
  let inputs = MergeInputs.baseAndSeveral
  let parameters: [MergeParameter] = []
  let reach = MergeReach.tensor

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    Stock.merge(operands, 0..<output.count, into: &output)
  }
}
