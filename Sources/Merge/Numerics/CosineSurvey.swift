import Tensors

/// What ``CosineA`` and ``CosineB`` have in common.
///
/// Similarities of all columns of all tensors are gathered, the lowest and the highest hundredth
/// is cut off, and the range of the rest is stretched to 0…1. Tensors of the VAE take no part and
/// stay those of A.
enum CosineSurvey {
  /// Whether a tensor belongs to the VAE, by its LDM or diffusers name.
  static func isExcluded(_ tensor: MergedTensor) -> Bool {
    tensor.name.hasPrefix("first_stage_model.") || tensor.name.hasPrefix("vae.")
  }

  /// The similarity of each column: the mean of its cosine and that of the whole tensor.
  static func samples(
    _ operands: Operands, _ tensor: MergedTensor, normalizes: Bool
  ) -> [Float] {
    guard !isExcluded(tensor) else { return [] }
    let cosines = ColumnCosines(
      operands[0], operands[1], shape: tensor.shape, normalizes: normalizes)
    guard cosines.isDefined else { return [] }
    return cosines.columns.map { Float(($0 + cosines.whole) / 2) }
  }

  /// The range of what is left without the lowest and, of the rest, the highest hundredth.
  static func conclude(_ samples: [Float]) -> MergeSurvey {
    let sorted = samples.filter { !$0.isNaN }.sorted()
    guard !sorted.isEmpty else { return MergeSurvey(low: 0, high: 0) }
    let low = percentile(1, of: sorted[...])
    let upper = sorted[(sorted.firstIndex { Double($0) >= low } ?? 0)...]
    let high = percentile(99, of: upper)
    let last = upper.last { Double($0) <= high } ?? upper[upper.startIndex]
    return MergeSurvey(low: Double(upper[upper.startIndex]), high: Double(last))
  }

  /// A percentile of sorted values, halfway between two where it falls between them.
  private static func percentile(_ percent: Int, of sorted: ArraySlice<Float>) -> Double {
    let place = Double(sorted.count - 1) * Double(percent) / 100
    let below = sorted[sorted.startIndex + Int(place.rounded(.down))]
    let above = sorted[sorted.startIndex + Int(place.rounded(.up))]
    return (Double(below) + Double(above)) / 2
  }

  /// Writes `kA + (1 − k)B` with `k = clip((similarity − low)/(high − low) − offset, 0, 1)`.
  static func merge(
    _ operands: Operands, _ tensor: MergedTensor, _ survey: MergeSurvey?, offset: Double,
    normalizes: Bool, into output: inout MutableSpan<Float>
  ) {
    guard !isExcluded(tensor) else {
      for i in output.indices { output[i] = operands[0][i] }
      return
    }
    let (low, high) = (survey?.low ?? 0, survey?.high ?? 0)
    ColumnCosines.mix(operands, tensor, normalizes: normalizes, into: &output) { column, whole in
      // Without a range everything is as similar as anything else.
      let similarity = high > low ? ((column + whole) / 2 - low) / (high - low) : 1
      return 1 - min(1, max(0, similarity - offset))
    }
  }
}
