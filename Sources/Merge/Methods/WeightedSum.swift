/// `(1 − α)A + αB`: a straight line from A to B.
///
/// With α outside 0…1 the line goes on beyond its ends. The arithmetic decides the last bit, see
/// ``Arithmetic``; the result is A for α = 0 and B for α = 1.
///
/// Origin: "Weighted sum" of AUTOMATIC1111 and every tool since; Wortsman et al., "Model soups",
/// 2022.
///
/// Parameters: α.
struct WeightedSum: MergeMethod {
  let name = "weighted-sum"
  let formula = "(1 − α)A + αB"
  let inputs = MergeInputs.two
  let parameters: [MergeParameter] = [.alpha(0.5)]
  let reach = MergeReach.elements
  let hasDialects = true

  func passthrough(_ settings: MergeSettings) -> Int? {
    // The webui dialect adds 0·B, which makes +0 of A's −0.
    guard settings.arithmetic != .webui else { return nil }
    return settings.alpha == 0 ? 0 : settings.alpha == 1 ? 1 : nil
  }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let (a, b) = (operands[0], operands[1])
    precondition(a.count == output.count && b.count == output.count)
    let alpha = settings.alpha
    if settings.arithmetic == .webui {
      let (ta, tb) = (operands.dtypes[0], operands.dtypes[1])
      let type = Arithmetic.promoted(ta, tb)
      let (wa, wb) = (Float(1 - alpha), Float(alpha))
      for i in output.indices {
        let left = Arithmetic.rounded(wa * a[i], to: ta)
        let right = Arithmetic.rounded(wb * b[i], to: tb)
        output[i] = Arithmetic.rounded(left + right, to: type)
      }
    } else if settings.arithmetic.needsDouble(operands, tensor) {
      for i in output.indices {
        let sum = Arithmetic.lerp(Double(a[i]), Double(b[i]), alpha)
        output[i] = Arithmetic.narrowed(sum, for: tensor.output)
      }
    } else {
      for i in output.indices { output[i] = Arithmetic.lerp(a[i], b[i], Float(alpha)) }
    }
  }
}
