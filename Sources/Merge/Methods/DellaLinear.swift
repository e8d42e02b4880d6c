import Tensors

/// `B + α·Σ wᵢdᵢ; dᵢ = Mᵢ − B, kept by rank with probability ρ ± ε, then scaled`.
///
/// The rank is that of the magnitude among the values along the second axis, or along the only
/// one: the smallest is kept with probability ρ − ε, the largest with ρ + ε. The sum of the
/// magnitudes stays what it was, unless it is below 10⁻⁷.
///
/// Origin: `della_linear` of mergekit; Deep et al., "DELLA-merging", 2024.
///
/// Parameters: α, w, ρ, ε (ρ − ε and ρ + ε between 0 and 1), seed.
struct DellaLinear: MergeMethod {
  let name = "della-linear"
  let formula =
    "B + α·Σ wᵢdᵢ; dᵢ = Mᵢ − B, kept by rank with probability ρ ± ε, then scaled"
  let inputs = MergeInputs.baseAndAny
  let parameters: [MergeParameter] = [.alpha(1), .weights, .density(0.5), .epsilon(0.15), .seed]
  let reach = MergeReach.tensor

  func checkTogether(_ settings: MergeSettings) throws(Fault) {
    try Sparsity.checkProbabilities(settings)
  }

  func passthrough(_ settings: MergeSettings) -> Int? { settings.alpha == 0 ? 0 : nil }

  func scratchBytesPerElement(inputs count: Int) -> Int {
    TaskVectors.scratchBytesPerElement(inputs: count, .randomByRank)
  }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    TaskVectors(sparsity: .randomByRank, rescaling: .magnitudes, consensus: .sum)
      .merge(operands, tensor, settings, into: &output)
  }
}
