/// `(sin((1 − α)ω)·A + sin(αω)·B) / sin ω`, where ω is the angle between A and B.
///
/// Where |cos ω| > 0.9995, and where a length is zero, it is the weighted sum. A vector no longer
/// than 10⁻⁸ counts as its own unit vector.
///
/// Origin: `slerp` of mergekit; Shoemake, "Animating rotation with quaternion curves", 1985.
///
/// Parameters: α.
struct Slerp: MergeMethod {
  let name = "slerp"
  let formula = "(sin((1 − α)ω)·A + sin(αω)·B) / sin ω, where ω is the angle between A and B"
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
    func length(_ norm: Double) -> Double { norm > 1e-8 ? norm : 1 }
    let product = Sums.dot(a, b) / (length(Sums.norm(a)) * length(Sums.norm(b)))
    let cosine = min(1, max(-1, product))
    guard cosine.magnitude <= 0.9995 else {
      for i in output.indices {
        output[i] = Float(Arithmetic.lerp(Double(a[i]), Double(b[i]), alpha))
      }
      return
    }
    let angle = Elementary.arcCosine(cosine)
    let sine = Elementary.sine(angle)
    let weightA = Elementary.sine((1 - alpha) * angle) / sine
    let weightB = Elementary.sine(alpha * angle) / sine
    for i in output.indices { output[i] = Float(weightA * Double(a[i]) + weightB * Double(b[i])) }
  }
}
