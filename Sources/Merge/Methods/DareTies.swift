/// `B + α·Σ wᵢdᵢ over i with sgn wᵢdᵢ = sgn Σ wᵢdᵢ; dᵢ as in dare-linear`.
///
/// Origin: Yu et al., "Language models are super mario", 2023 (DARE), with the election of signs
/// of TIES. ``DareTiesL1`` is mergekit's way to rescale.
///
/// Parameters: α, w, ρ, seed.
struct DareTies: MergeMethod {
  let name = "dare-ties"
  let formula = "B + α·Σ wᵢdᵢ over i with sgn wᵢdᵢ = sgn Σ wᵢdᵢ; dᵢ as in dare-linear"
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
    TaskVectors(sparsity: .random, rescaling: .density, consensus: .signOfSum)
      .merge(operands, tensor, settings, into: &output)
  }
}
