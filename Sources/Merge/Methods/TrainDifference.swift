/// `A + 1.8α(B − C)·|B − A| / (|B − C| + |B − A|)`: adds what B learned over C, where A lacks it.
///
/// Where both distances are zero nothing is added.
///
/// Origin: "trainDifference" of SuperMerger, `train_difference_mask` of sd-mecha.
///
/// Parameters: α.
struct TrainDifference: MergeMethod {
  let name = "train-difference"
  let formula = "A + 1.8α(B − C)·|B − A| / (|B − C| + |B − A|)"
  let inputs = MergeInputs.twoAndBase
  let parameters: [MergeParameter] = [.alpha(1)]
  let reach = MergeReach.elements

  func passthrough(_ settings: MergeSettings) -> Int? { settings.alpha == 0 ? 0 : nil }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let (a, b, c) = (operands[0], operands[1], operands[2])
    precondition(a.count == output.count && b.count == output.count && c.count == output.count)
    let weight = 1.8 * settings.alpha
    for i in output.indices {
      let (x, y) = (Double(a[i]), Double(b[i]))
      let learned = y - Double(c[i])
      let lacking = (y - x).magnitude
      let sum = learned.magnitude + lacking
      output[i] = sum == 0 ? a[i] : Float(x + weight * learned * (lacking / sum))
    }
  }
}
