/// `(1 − β)((1 − α)A + αB) + βC`: a line from A to B, and from there to C.
///
/// The arithmetic decides the last bit, see ``Arithmetic``.
///
/// Origin: "sum Twice" of SuperMerger, `sum_twice` of sd-meh.
///
/// Parameters: α, β.
struct SumTwice: MergeMethod {
  let name = "sum-twice"
  let formula = "(1 − β)((1 − α)A + αB) + βC"
  let inputs = MergeInputs.three
  let parameters: [MergeParameter] = [.alpha(0.5), .beta(0.25)]
  let reach = MergeReach.elements
  let hasDialects = true

  func passthrough(_ settings: MergeSettings) -> Int? {
    guard settings.arithmetic != .webui else { return nil }
    if settings.beta == 1 { return 2 }
    return settings.beta == 0 ? WeightedSum().passthrough(settings) : nil
  }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let (a, b, c) = (operands[0], operands[1], operands[2])
    precondition(a.count == output.count && b.count == output.count && c.count == output.count)
    let (alpha, beta) = (settings.alpha, settings.beta)
    if settings.arithmetic == .webui {
      let types = operands.dtypes
      let inner = Arithmetic.promoted(types[0], types[1])
      let type = Arithmetic.promoted(inner, types[2])
      let (wa, wb) = (Float(1 - alpha), Float(alpha))
      let (wi, wc) = (Float(1 - beta), Float(beta))
      for i in output.indices {
        let left = Arithmetic.rounded(wa * a[i], to: types[0])
        let right = Arithmetic.rounded(wb * b[i], to: types[1])
        let sum = Arithmetic.rounded(wi * Arithmetic.rounded(left + right, to: inner), to: inner)
        output[i] = Arithmetic.rounded(sum + Arithmetic.rounded(wc * c[i], to: types[2]), to: type)
      }
    } else if settings.arithmetic.needsDouble(operands, tensor) {
      for i in output.indices {
        let inner = Arithmetic.lerp(Double(a[i]), Double(b[i]), alpha)
        let sum = Arithmetic.lerp(inner, Double(c[i]), beta)
        output[i] = Arithmetic.narrowed(sum, for: tensor.output)
      }
    } else {
      for i in output.indices {
        output[i] = Arithmetic.lerp(Arithmetic.lerp(a[i], b[i], Float(alpha)), c[i], Float(beta))
      }
    }
  }
}
