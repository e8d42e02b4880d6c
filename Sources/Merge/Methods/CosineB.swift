/// `kA + (1 − k)B` with `k = clip((s − min)/(max − min) − α, 0, 1)`: B's structure, A's details.
///
/// s is, for each column, the mean of the cosine of the columns and of the cosine of the tensors
/// as they are. Columns, min, max and the VAE are as in ``CosineA``.
///
/// Origin: "cosineB" of SuperMerger. ``AddCosineB`` is another tool's method.
///
/// Parameters: α.
struct CosineB: SurveyingMergeMethod {
  let name = "cosine-b"
  let formula = "kA + (1 − k)B with k = clip((s − min)/(max − min) − α, 0, 1)"
  let inputs = MergeInputs.two
  let parameters: [MergeParameter] = [.alpha(0.5)]

  func scratchBytesPerElement(inputs count: Int) -> Int { 40 }

  func survey(_ operands: Operands, tensor: MergedTensor) -> [Float] {
    CosineSurvey.samples(operands, tensor, normalizes: false)
  }

  func conclude(_ samples: [Float]) -> MergeSurvey { CosineSurvey.conclude(samples) }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    CosineSurvey.merge(
      operands, tensor, settings.survey, offset: settings.alpha, normalizes: false, into: &output)
  }
}
