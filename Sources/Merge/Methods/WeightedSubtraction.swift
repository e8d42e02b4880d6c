/// `(A − αβB) / (1 − αβ)`: takes B out of A again, the inverse of a weighted sum.
///
/// Where αβ is 1 it stands for 1 − 10⁻¹⁰, as in sd-meh for α = β = 1, since nothing can be divided
/// by zero; the result is then useful only where A and B are equal.
///
/// Origin: `weighted_subtraction` of sd-meh.
///
/// Parameters: α, β.
struct WeightedSubtraction: MergeMethod {
  let name = "weighted-subtraction"
  let formula = "(A − αβB) / (1 − αβ)"
  let inputs = MergeInputs.two
  let parameters: [MergeParameter] = [.alpha(0.5), .beta(0.5)]
  let reach = MergeReach.elements

  func passthrough(_ settings: MergeSettings) -> Int? {
    settings.alpha * settings.beta == 0 ? 0 : nil
  }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let (a, b) = (operands[0], operands[1])
    precondition(a.count == output.count && b.count == output.count)
    let product = settings.alpha * settings.beta
    let weight = product == 1 ? 1 - 1e-10 : product
    let rest = 1 - weight
    for i in output.indices { output[i] = Float((Double(a[i]) - weight * Double(b[i])) / rest) }
  }
}
