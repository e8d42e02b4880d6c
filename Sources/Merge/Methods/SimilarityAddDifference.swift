/// `(1 − s)(A + α(B − C)) + s((1 − α/2)A + (α/2)B)` with `s = β(AB / max(|A|, |B|)² + 1) / 2`.
///
/// Where A and B agree it is a weighted sum, where they differ an added difference. Where both are
/// zero, s is β.
///
/// Origin: `similarity_add_difference` of sd-meh.
///
/// Parameters: α, β from 0 to 1.
struct SimilarityAddDifference: MergeMethod {
  let name = "similarity-add-difference"
  let formula =
    "(1 − s)(A + α(B − C)) + s((1 − α/2)A + (α/2)B) with s = β(AB / max(|A|, |B|)² + 1) / 2"
  let inputs = MergeInputs.twoAndBase
  let parameters: [MergeParameter] = [.alpha(1), .beta(1, in: 0...1)]
  let reach = MergeReach.elements

  func passthrough(_ settings: MergeSettings) -> Int? { settings.alpha == 0 ? 0 : nil }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let (a, b, c) = (operands[0], operands[1], operands[2])
    precondition(a.count == output.count && b.count == output.count && c.count == output.count)
    let (alpha, beta) = (settings.alpha, settings.beta)
    for i in output.indices {
      let (x, y) = (Double(a[i]), Double(b[i]))
      let larger = max(x.magnitude, y.magnitude)
      let similarity = larger == 0 ? beta : beta * (x * y / (larger * larger) + 1) / 2
      let added = x + alpha * (y - Double(c[i]))
      let mixed = x + alpha / 2 * (y - x)
      output[i] = Float((1 - similarity) * added + similarity * mixed)
    }
  }
}
