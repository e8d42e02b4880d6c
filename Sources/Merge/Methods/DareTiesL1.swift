/// `B + α·Σ wᵢdᵢ over i with sgn wᵢdᵢ = sgn Σ wᵢdᵢ; dᵢ as in dare-linear-l1`.
///
/// Origin: `dare_ties` of mergekit 0.1.5.
///
/// Parameters: α, w, ρ, seed.
struct DareTiesL1: MergeMethod {
  let name = "dare-ties-l1"
  let formula = "B + α·Σ wᵢdᵢ over i with sgn wᵢdᵢ = sgn Σ wᵢdᵢ; dᵢ as in dare-linear-l1"
  let inputs = MergeInputs.baseAndAny
  let parameters: [MergeParameter] = [.alpha(1), .weights, .density(0.5), .seed]
  let reach = MergeReach.tensor

  func passthrough(_ settings: MergeSettings) -> Int? { settings.alpha == 0 ? 0 : nil }

  func scratchBytesPerElement(inputs count: Int) -> Int {
    TaskVectors.scratchBytesPerElement(inputs: count, .random)
  }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    TaskVectors(sparsity: .random, rescaling: .magnitudes, consensus: .signOfSum)
      .merge(operands, tensor, settings, into: &output)
  }
}
