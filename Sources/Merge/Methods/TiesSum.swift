/// `B + α·mean of dᵢ over i with sgn dᵢ = sgn Σ sgn dᵢ; dᵢ = top ρ of Mᵢ − B`: a vote by head.
///
/// Of each difference the values are kept whose magnitude is at least the ⌊(1 − ρ)n⌋th smallest.
///
/// Origin: `ties_sum` of sd-mecha, `ties_add_difference` of sd-meh, whose k is ρ; Yadav et al.,
/// "TIES-merging", 2023. ``Ties`` elects the signs by weight, as the paper does.
///
/// Parameters: α, ρ.
struct TiesSum: MergeMethod {
  let name = "ties-sum"
  let formula = "B + α·mean of dᵢ over i with sgn dᵢ = sgn Σ sgn dᵢ; dᵢ = top ρ of Mᵢ − B"
  let inputs = MergeInputs.baseAndAny
  let parameters: [MergeParameter] = [.alpha(1), .density(1)]
  let reach = MergeReach.tensor

  func passthrough(_ settings: MergeSettings) -> Int? { settings.alpha == 0 ? 0 : nil }

  func scratchBytesPerElement(inputs count: Int) -> Int {
    TaskVectors.scratchBytesPerElement(inputs: count, .aboveThreshold)
  }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    TaskVectors(sparsity: .aboveThreshold, rescaling: .none, consensus: .meanByVote)
      .merge(operands, tensor, settings, into: &output)
  }
}
