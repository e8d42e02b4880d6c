/// `B + α·Σ wᵢdᵢ / Σ wᵢ over i with sgn wᵢdᵢ = sgn Σ wᵢdᵢ; dᵢ = top ρ of Mᵢ − B`.
///
/// Of each difference the ⌊ρn⌋ values of the largest magnitude are kept, of equal ones the last.
///
/// Origin: `ties` of mergekit; Yadav et al., "TIES-merging: resolving interference when merging
/// models", 2023. ``TiesSum`` elects the signs otherwise.
///
/// Parameters: α (the paper's λ), w, ρ.
struct Ties: MergeMethod {
  let name = "ties"
  let formula = "B + α·Σ wᵢdᵢ / Σ wᵢ over i with sgn wᵢdᵢ = sgn Σ wᵢdᵢ; dᵢ = top ρ of Mᵢ − B"
  let inputs = MergeInputs.baseAndAny
  let parameters: [MergeParameter] = [.alpha(1), .weights, .density(1)]
  let reach = MergeReach.tensor

  func passthrough(_ settings: MergeSettings) -> Int? { settings.alpha == 0 ? 0 : nil }

  func scratchBytesPerElement(inputs count: Int) -> Int {
    TaskVectors.scratchBytesPerElement(inputs: count, .largest)
  }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    TaskVectors(sparsity: .largest, rescaling: .none, consensus: .meanBySignOfSum)
      .merge(operands, tensor, settings, into: &output)
  }
}
