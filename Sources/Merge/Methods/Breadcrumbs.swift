/// `B + α·Σ wᵢdᵢ; dᵢ = Mᵢ − B without its ⌊γn⌋ largest values, of the rest the ⌊ρn⌋ largest`.
///
/// Fewer of the largest are dropped where otherwise not enough would be left.
///
/// Origin: `breadcrumbs` of mergekit 0.1.5; Davari and Belilovsky, "Model breadcrumbs: scaling
/// multi-task model merging with sparse masks", 2023.
///
/// Parameters: α, w, ρ, γ from 0 to 1.
struct Breadcrumbs: MergeMethod {
  let name = "breadcrumbs"
  let formula =
    "B + α·Σ wᵢdᵢ; dᵢ = Mᵢ − B without its ⌊γn⌋ largest values, of the rest the ⌊ρn⌋ largest"
  let inputs = MergeInputs.baseAndAny
  let parameters: [MergeParameter] = [.alpha(1), .weights, .density(0.9), .gamma(0.01, in: 0...1)]
  let reach = MergeReach.tensor

  func passthrough(_ settings: MergeSettings) -> Int? { settings.alpha == 0 ? 0 : nil }

  func scratchBytesPerElement(inputs count: Int) -> Int {
    TaskVectors.scratchBytesPerElement(inputs: count, .withoutOutliers)
  }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    TaskVectors(sparsity: .withoutOutliers, rescaling: .none, consensus: .sum)
      .merge(operands, tensor, settings, into: &output)
  }
}
