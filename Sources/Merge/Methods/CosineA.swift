/// `kA + (1 − k)B` with `k = clip((s − min)/(max − min) − |α|, 0, 1)`: A's structure, B's details.
///
/// s is, for each column, the mean of the cosine of the columns and of the cosine of the tensors
/// with all columns divided by their lengths. A column are the values with the same place on every
/// axis but the first. min and max are those of all tensors but the VAE's, without the lowest and
/// highest hundredth. The VAE stays that of A.
///
/// Origin: "cosineA" of SuperMerger. ``AddCosineA`` is another tool's method.
///
/// Parameters: α.
struct CosineA: SurveyingMergeMethod {
  let name = "cosine-a"
  let formula = "kA + (1 − k)B with k = clip((s − min)/(max − min) − |α|, 0, 1)"
  let inputs = MergeInputs.two
  let parameters: [MergeParameter] = [.alpha(0.5)]

  func scratchBytesPerElement(inputs count: Int) -> Int { 40 }

  func survey(_ operands: Operands, tensor: MergedTensor) -> [Float] {
    CosineSurvey.samples(operands, tensor, normalizes: true)
  }

  func conclude(_ samples: [Float]) -> MergeSurvey { CosineSurvey.conclude(samples) }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    CosineSurvey.merge(
      operands, tensor, settings.survey, offset: settings.alpha.magnitude, normalizes: true,
      into: &output)
  }
}
