/// `C + sgn(D)·√((1 − α)â² + αb̂²)`, scaled to the length of D, with `D = (1 − α)A + αB − C`.
///
/// â and b̂ are A − C and B − C, each divided by its length. A difference of length 0 stays 0, and
/// where both vanish the result is C.
///
/// Origin: `euclidean_add_difference` of sd-meh.
///
/// Parameters: α from 0 to 1.
struct EuclideanAddDifference: MergeMethod {
  let name = "euclidean-add-difference"
  let formula =
    "C + sgn(D)·√((1 − α)â² + αb̂²), scaled to the length of D, with D = (1 − α)A + αB − C"
  let inputs = MergeInputs.twoAndBase
  let parameters: [MergeParameter] = [.alpha(0.5, in: 0...1)]
  let reach = MergeReach.tensor

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let (a, b, c) = (operands[0], operands[1], operands[2])
    precondition(a.count == output.count && b.count == output.count && c.count == output.count)
    let alpha = settings.alpha
    func difference(_ i: Int) -> (a: Double, b: Double, sum: Double) {
      let base = Double(c[i])
      let (x, y) = (Double(a[i]) - base, Double(b[i]) - base)
      return (x, y, Arithmetic.lerp(x, y, alpha))
    }
    let n = output.count
    let lengthA = Sums.sum(n) { difference($0).a * difference($0).a }
    let lengthB = Sums.sum(n) { difference($0).b * difference($0).b }
    let target = Sums.sum(n) { difference($0).sum * difference($0).sum }
    let scaleA = lengthA == 0 ? 0 : (1 - alpha) / lengthA
    let scaleB = lengthB == 0 ? 0 : alpha / lengthB
    func squared(_ i: Int) -> Double {
      let d = difference(i)
      return scaleA * d.a * d.a + scaleB * d.b * d.b
    }
    let length = Sums.sum(n) { squared($0) }
    let scale = length == 0 ? 0 : target / length
    for i in 0..<n {
      let size = (scale * squared(i)).squareRoot()
      let direction = difference(i).sum
      output[i] = Float(Double(c[i]) + (direction.sign == .minus ? -size : size))
    }
  }
}
