/// `A + ((1 − α)a + αb)·((1 − β)d + β(1 − d))` with `a = B − A`, `b = C − A`, `d = ((c + 1)/2)^γ`.
///
/// c is the cosine of the angle between a and b along the last axis. So β = 0 adds what B and C
/// learned alike, and β = 1 what they learned apart.
///
/// Origin: "extract" of SuperMerger.
///
/// Parameters: α and β from 0 to 1, γ from 0 to 100.
struct Extract: MergeMethod {
  let name = "extract"
  let formula =
    "A + ((1 − α)a + αb)·((1 − β)d + β(1 − d)) with a = B − A, b = C − A, d = ((c + 1)/2)^γ"
  let inputs = MergeInputs.baseAndTwo
  let parameters: [MergeParameter] = [
    .alpha(0.5, in: 0...1), .beta(0.5, in: 0...1), .gamma(1, in: 0...100),
  ]
  let reach = MergeReach.tensor

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let (base, b, c) = (operands[0], operands[1], operands[2])
    precondition(base.count == output.count && b.count == output.count && c.count == output.count)
    let row = tensor.shape.last ?? 1
    var start = 0
    while start < output.count {
      let end = min(start + row, output.count)
      var products = Products()
      for i in start..<end {
        let origin = Double(base[i])
        products.add(Double(b[i]) - origin, Double(c[i]) - origin)
      }
      let alike = Elementary.power((products.cosine + 1) / 2, settings.gamma)
      let weight = Arithmetic.lerp(alike, 1 - alike, settings.beta)
      for i in start..<end {
        let origin = Double(base[i])
        let step = Arithmetic.lerp(Double(b[i]) - origin, Double(c[i]) - origin, settings.alpha)
        output[i] = Float(origin + step * weight)
      }
      start = end
    }
  }
}
