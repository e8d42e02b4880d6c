/// `B + t(mean of Mᵢ − B)` with `t = Nc / (1 + (N − 1)c)`, for each row along the last axis.
///
/// As ``ModelStock``, with angles and steps of single rows.
///
/// Origin: `model_stock` of mergekit with `filter_wise`.
///
/// Parameters: none.
struct ModelStockRows: MergeMethod {
  let name = "model-stock-rows"
  let formula =
    "B + t(mean of Mᵢ − B) with t = Nc / (1 + (N − 1)c), for each row along the last axis"
  let inputs = MergeInputs.baseAndSeveral
  let parameters: [MergeParameter] = []
  let reach = MergeReach.tensor

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let row = tensor.shape.last ?? 1
    var start = 0
    while start < output.count {
      let end = min(start + row, output.count)
      Stock.merge(operands, start..<end, into: &output)
      start = end
    }
  }
}
