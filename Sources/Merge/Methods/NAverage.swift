import Tensors

/// `Σ wᵢMᵢ / Σ wᵢ`: the weighted mean of any number of models.
///
/// Origin: `linear` of mergekit, `n_average` of sd-mecha (all weights 1), `--ratios` of kohya's
/// merge script; Wortsman et al., "Model soups", 2022.
///
/// Parameters: w, one for each model, with a sum other than 0.
struct NAverage: MergeMethod {
  let name = "n-average"
  let formula = "Σ wᵢMᵢ / Σ wᵢ"
  let inputs = MergeInputs.any
  let parameters: [MergeParameter] = [.weights]
  let reach = MergeReach.elements

  func checkTogether(_ settings: MergeSettings) throws(Fault) {
    guard !settings.weights.isEmpty, settings.weights.reduce(0, +) == 0 else { return }
    throw Fault(
      .mergeParameter, "the weights of method \(name) have no sum to divide by",
      expected: "a sum other than 0", found: "0")
  }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let weights = (0..<operands.count).map { settings.weight($0) }
    let sum = weights.reduce(0, +)
    for i in output.indices {
      var total = 0.0
      for (model, weight) in weights.enumerated() { total += weight * Double(operands[model][i]) }
      output[i] = Float(total / sum)
    }
  }
}
