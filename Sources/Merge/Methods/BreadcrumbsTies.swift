/// `B + α·Σ wᵢdᵢ over i with sgn wᵢdᵢ = sgn Σ wᵢdᵢ; dᵢ as in breadcrumbs`.
///
/// Origin: `breadcrumbs_ties` of mergekit 0.1.5.
///
/// Parameters: α, w, ρ, γ from 0 to 1.
struct BreadcrumbsTies: MergeMethod {
  let name = "breadcrumbs-ties"
  let formula = "B + α·Σ wᵢdᵢ over i with sgn wᵢdᵢ = sgn Σ wᵢdᵢ; dᵢ as in breadcrumbs"
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
    TaskVectors(sparsity: .withoutOutliers, rescaling: .none, consensus: .signOfSum)
      .merge(operands, tensor, settings, into: &output)
  }
}
