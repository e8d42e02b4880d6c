/// `(1 − α − β)A + αB + βC`: three models with weights that add up to 1.
///
/// The arithmetic decides the last bit, see ``Arithmetic``. The lerp dialect computes it from two
/// lines, as SuperMerger does: `lerp(A, lerp(B, C, β/(α + β)), α + β)`, and for α + β = 0 as
/// `A + α(B − C)`. The exact arithmetic always is `Double`, since β/(α + β) may be large.
///
/// Origin: "Triple sum" of SuperMerger, `triple_sum` of sd-meh.
///
/// Parameters: α, β.
struct TripleSum: MergeMethod {
  let name = "triple-sum"
  let formula = "(1 − α − β)A + αB + βC"
  let inputs = MergeInputs.three
  let parameters: [MergeParameter] = [.alpha(0.25), .beta(0.25)]
  let reach = MergeReach.elements
  let hasDialects = true

  func passthrough(_ settings: MergeSettings) -> Int? {
    guard settings.arithmetic != .webui else { return nil }
    switch (settings.alpha, settings.beta) {
    case (0, 0): return 0
    case (1, 0): return 1
    case (0, 1): return 2
    default: return nil
    }
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
      let (wa, wb, wc) = (Float(1 - alpha - beta), Float(alpha), Float(beta))
      for i in output.indices {
        let left = Arithmetic.rounded(wa * a[i], to: types[0])
        let right = Arithmetic.rounded(wb * b[i], to: types[1])
        let sum = Arithmetic.rounded(left + right, to: inner)
        output[i] = Arithmetic.rounded(sum + Arithmetic.rounded(wc * c[i], to: types[2]), to: type)
      }
    } else if settings.arithmetic == .exact {
      for i in output.indices {
        // From A outwards, so that three equal models give themselves.
        let (x, y, z) = (Double(a[i]), Double(b[i]), Double(c[i]))
        output[i] = Arithmetic.narrowed(
          x + alpha * (y - x) + beta * (z - x), for: tensor.output)
      }
    } else if alpha + beta == 0 {
      for i in output.indices { output[i] = a[i].addingProduct(Float(alpha), b[i] - c[i]) }
    } else {
      let (inner, outer) = (Float(beta / (alpha + beta)), Float(alpha + beta))
      for i in output.indices {
        output[i] = Arithmetic.lerp(a[i], Arithmetic.lerp(b[i], c[i], inner), outer)
      }
    }
  }
}
