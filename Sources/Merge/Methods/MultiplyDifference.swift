/// `C + sgn((1 − β)A + βB − C)·|A − C|^(1 − α)·|B − C|^α`: the geometric mean of two differences.
///
/// As in C, anything to the power 0 is 1.
///
/// Origin: `multiply_difference` of sd-meh.
///
/// Parameters: α from 0 to 1, β.
struct MultiplyDifference: MergeMethod {
  let name = "multiply-difference"
  let formula = "C + sgn((1 − β)A + βB − C)·|A − C|^(1 − α)·|B − C|^α"
  let inputs = MergeInputs.twoAndBase
  let parameters: [MergeParameter] = [.alpha(0.5, in: 0...1), .beta(0.5)]
  let reach = MergeReach.elements

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let (a, b, c) = (operands[0], operands[1], operands[2])
    precondition(a.count == output.count && b.count == output.count && c.count == output.count)
    let alpha = settings.alpha
    for i in output.indices {
      let (x, y, base) = (Double(a[i]), Double(b[i]), Double(c[i]))
      let size =
        Elementary.power((x - base).magnitude, 1 - alpha)
        * Elementary.power((y - base).magnitude, alpha)
      let direction = Arithmetic.lerp(x, y, settings.beta) - base
      output[i] = Float(base + (direction.sign == .minus ? -size : size))
    }
  }
}
