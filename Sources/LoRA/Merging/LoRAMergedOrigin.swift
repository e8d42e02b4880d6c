public import Tensors

extension LoRAMergedSource {
  /// The model's tensor, the LoRAs that change it, and how strongly each does.
  public func origin(of index: Int) -> TensorOrigin? {
    guard let base = plan.base.origin(of: index) else { return nil }
    guard let changes = plan.changes[index] else { return base }
    let request = plan.request
    let strengths = changes.map { "\($0.module) \($0.isBias) \($0.strength)" }
    let settings = request.compatibility.map(\.rawValue).sorted()
    let words =
      ["lora", "\(request.overflow)", request.magnitudeAxis.map { "\($0)" } ?? ""] + settings
      + strengths
    let files = changes.flatMap { request.loras[$0.lora].file.source.files.map(TensorOrigin.init) }
    return .computed(
      by: words.joined(separator: " "), tensors[index].dtype, from: [base] + files)
  }
}
