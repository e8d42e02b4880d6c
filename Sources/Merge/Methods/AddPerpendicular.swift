/// `A + α(b − a(a·b)/(a·a))` with `a = A − C` and `b = B − C`: adds what B learned and A did not.
///
/// Where A is C, nothing is added.
///
/// Origin: `add_perpendicular` of sd-mecha.
///
/// Parameters: α.
struct AddPerpendicular: MergeMethod {
  let name = "add-perpendicular"
  let formula = "A + α(b − a(a·b)/(a·a)) with a = A − C and b = B − C"
  let inputs = MergeInputs.twoAndBase
  let parameters: [MergeParameter] = [.alpha(1)]
  let reach = MergeReach.tensor

  func passthrough(_ settings: MergeSettings) -> Int? { settings.alpha == 0 ? 0 : nil }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let (a, b, c) = (operands[0], operands[1], operands[2])
    precondition(a.count == output.count && b.count == output.count && c.count == output.count)
    let n = output.count
    let square = Sums.sum(n) { i in
      let difference = Double(a[i]) - Double(c[i])
      return difference * difference
    }
    let product = Sums.sum(n) { i in
      let base = Double(c[i])
      return (Double(a[i]) - base) * (Double(b[i]) - base)
    }
    for i in 0..<n {
      let (x, base) = (Double(a[i]), Double(c[i]))
      let added = square == 0 ? 0 : Double(b[i]) - base - (x - base) * (product / square)
      output[i] = Float(x + settings.alpha * added)
    }
  }
}
