/// `B + α·Σ wᵢdᵢ; dᵢ = Mᵢ − B, each value kept with probability ρ, then scaled to |dᵢ|₁ as before`.
///
/// The sum of the magnitudes of the values stays what it was, unless it is below 10⁻⁷.
///
/// Origin: `dare_linear` of mergekit 0.1.5.
///
/// Parameters: α, w, ρ, seed.
struct DareLinearL1: MergeMethod {
  let name = "dare-linear-l1"
  let formula =
    "B + α·Σ wᵢdᵢ; dᵢ = Mᵢ − B, each value kept with probability ρ, then scaled to |dᵢ|₁ as before"
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
    TaskVectors(sparsity: .random, rescaling: .magnitudes, consensus: .sum)
      .merge(operands, tensor, settings, into: &output)
  }
}
