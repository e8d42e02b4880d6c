/// `B + α·Σ wᵢdᵢ; dᵢ = Mᵢ − B, each value kept with probability ρ and divided by ρ`.
///
/// Origin: Yu et al., "Language models are super mario", 2023 (DARE); `dropout` of sd-mecha;
/// Chattiori's Model Merger with ρ = ½. ``DareLinearL1`` is mergekit's way to rescale.
///
/// Parameters: α, w, ρ, seed.
struct DareLinear: MergeMethod {
  let name = "dare-linear"
  let formula = "B + α·Σ wᵢdᵢ; dᵢ = Mᵢ − B, each value kept with probability ρ and divided by ρ"
  let inputs = MergeInputs.baseAndAny
  let parameters: [MergeParameter] = [.alpha(1), .weights, .density(0.5), .seed]
  let reach = MergeReach.elements

  func passthrough(_ settings: MergeSettings) -> Int? { settings.alpha == 0 ? 0 : nil }

  func scratchBytesPerElement(inputs count: Int) -> Int {
    TaskVectors.scratchBytesPerElement(inputs: count, .random)
  }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    TaskVectors(sparsity: .random, rescaling: .density, consensus: .sum)
      .merge(operands, tensor, settings, into: &output)
  }
}
