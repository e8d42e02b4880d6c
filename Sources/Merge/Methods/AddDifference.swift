/// `A + α(B − C)`: adds to A what B learned over C.
///
/// The arithmetic decides the last bit, see ``Arithmetic``.
///
/// Origin: "Add difference" of AUTOMATIC1111; Ilharco et al., "Editing models with task
/// arithmetic", 2022.
///
/// Parameters: α.
struct AddDifference: MergeMethod {
  let name = "add-difference"
  let formula = "A + α(B − C)"
  let inputs = MergeInputs.twoAndBase
  let parameters: [MergeParameter] = [.alpha(1)]
  let reach = MergeReach.elements
  let hasDialects = true

  func passthrough(_ settings: MergeSettings) -> Int? {
    settings.alpha == 0 && settings.arithmetic != .webui ? 0 : nil
  }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let (a, b, c) = (operands[0], operands[1], operands[2])
    precondition(a.count == output.count && b.count == output.count && c.count == output.count)
    let alpha = settings.alpha
    if settings.arithmetic == .webui {
      let difference = Arithmetic.promoted(operands.dtypes[1], operands.dtypes[2])
      let type = Arithmetic.promoted(operands.dtypes[0], difference)
      let weight = Float(alpha)
      for i in output.indices {
        let delta = Arithmetic.rounded(b[i] - c[i], to: difference)
        let scaled = Arithmetic.rounded(weight * delta, to: difference)
        output[i] = Arithmetic.rounded(a[i] + scaled, to: type)
      }
    } else if settings.arithmetic.needsDouble(operands, tensor) {
      for i in output.indices {
        let sum = Double(a[i]).addingProduct(alpha, Double(b[i]) - Double(c[i]))
        output[i] = Arithmetic.narrowed(sum, for: tensor.output)
      }
    } else {
      let weight = Float(alpha)
      for i in output.indices { output[i] = a[i].addingProduct(weight, b[i] - c[i]) }
    }
  }
}
