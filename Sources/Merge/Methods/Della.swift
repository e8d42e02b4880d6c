import Tensors

/// `B + α·Σ wᵢdᵢ / Σ wᵢ over i with sgn wᵢdᵢ = sgn Σ wᵢdᵢ; dᵢ as in della-linear`.
///
/// Origin: `della` of mergekit; Deep et al., "DELLA-merging: reducing interference in model
/// merging through magnitude-based sampling", 2024.
///
/// Parameters: α, w, ρ, ε (ρ − ε and ρ + ε between 0 and 1), seed.
struct Della: MergeMethod {
  let name = "della"
  let formula = "B + α·Σ wᵢdᵢ / Σ wᵢ over i with sgn wᵢdᵢ = sgn Σ wᵢdᵢ; dᵢ as in della-linear"
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
    TaskVectors(sparsity: .randomByRank, rescaling: .magnitudes, consensus: .meanBySignOfSum)
      .merge(operands, tensor, settings, into: &output)
  }
}
