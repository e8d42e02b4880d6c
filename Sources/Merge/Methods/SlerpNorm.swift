/// `((1 − α)|A| + α|B|)·(sin((1 − α)ω)·Â + sin(αω)·B̂) / sin ω`: turns direction and length apart.
///
/// Â and B̂ are A and B divided by their lengths, ω is the angle between them. Where a length or
/// sin ω is zero it is the weighted sum.
///
/// Origin: `slerp` of sd-mecha.
///
/// Parameters: α.
struct SlerpNorm: MergeMethod {
  let name = "slerp-norm"
  let formula = "((1 − α)|A| + α|B|)·(sin((1 − α)ω)·Â + sin(αω)·B̂) / sin ω"
  let inputs = MergeInputs.two
  let parameters: [MergeParameter] = [.alpha(0.5, in: -1...2)]
  let reach = MergeReach.tensor

  func passthrough(_ settings: MergeSettings) -> Int? { WeightedSum().passthrough(settings) }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let (a, b) = (operands[0], operands[1])
    precondition(a.count == output.count && b.count == output.count)
    let alpha = settings.alpha
    let (lengthA, lengthB) = (Sums.norm(a), Sums.norm(b))
    let product = Sums.dot(a, b) / (lengthA * lengthB)
    // The rounding of the sums leaves this much doubt about a right or straight angle.
    guard product.magnitude < 1 - 1e-12 else {
      for i in output.indices {
        output[i] = Float(Arithmetic.lerp(Double(a[i]), Double(b[i]), alpha))
      }
      return
    }
    let angle = Elementary.arcCosine(product)
    let length = Arithmetic.lerp(lengthA, lengthB, alpha) / Elementary.sine(angle)
    let weightA = length * Elementary.sine((1 - alpha) * angle) / lengthA
    let weightB = length * Elementary.sine(alpha * angle) / lengthB
    for i in output.indices { output[i] = Float(weightA * Double(a[i]) + weightB * Double(b[i])) }
  }
}
