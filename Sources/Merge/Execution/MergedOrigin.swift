public import Tensors

extension MergedSource {
  /// The method with its settings for this tensor, and the tensors that it takes.
  ///
  /// `nil` for what a surveying method computes, which follows from all tensors.
  public func origin(of index: Int) -> TensorOrigin? {
    let tensor = plan.tensors[index]
    guard !tensor.isMerged || plan.request.method.reach != .model else { return nil }
    var operands: [TensorOrigin] = []
    for operand in tensor.operands {
      guard let origin = plan.inputs[operand.input].source.origin(of: operand.tensor) else {
        return nil
      }
      operands.append(origin)
    }
    let words =
      switch tensor.operation {
      case .copy: "copy"
      case .positions: "positions"
      case .merge(_, let settings): "\(plan.request.method.name) \(settings)"
      case .mergeChannels(_, let settings, let channels, _):
        "\(plan.request.method.name) \(settings) \(channels)"
      }
    // Random choices follow from the name too.
    return .computed(
      by: "\(words) \(plan.request.policies.overflow) \(tensor.info.name)", tensor.info.dtype,
      from: operands)
  }
}
