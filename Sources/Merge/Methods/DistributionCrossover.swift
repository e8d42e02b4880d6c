/// `low frequencies of A, high ones of B, in the order of C`: crosses over at α, with width β.
///
/// The values of A and B are put in the order of the values of C. In the spectrum of that sequence
/// the share of B is `clip((f − α)/β + ½, 0, 1)`, or 1 from `f = α` on if β < 10⁻¹⁰, where f runs
/// from 0 to 1 over the frequencies; then the values go back to their places. A single number
/// becomes αA + (1 − α)B. Equal values of C keep their order.
///
/// Origin: `distribution_crossover` of sd-meh.
///
/// Parameters: α, β from 0 to 1.
struct DistributionCrossover: MergeMethod {
  let name = "distribution-crossover"
  let formula = "low frequencies of A, high ones of B, in the order of C"
  let inputs = MergeInputs.three
  let parameters: [MergeParameter] = [.alpha(0.5), .beta(0.1, in: 0...1)]
  let reach = MergeReach.tensor

  func scratchBytesPerElement(inputs count: Int) -> Int { 40 }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let (a, b, c) = (operands[0], operands[1], operands[2])
    precondition(a.count == output.count && b.count == output.count && c.count == output.count)
    let n = output.count
    guard !tensor.shape.isEmpty else {
      for i in 0..<n {
        output[i] = Float(Arithmetic.lerp(Double(b[i]), Double(a[i]), settings.alpha))
      }
      return
    }
    guard n > 0 else { return }
    let order = Ranking.order(c)
    // (1 − f)A + fB = A + f(B − A), so that one sequence has to be transformed.
    var re = order.map { Double(b[Int($0)]) - Double(a[Int($0)]) }
    var im = [Double](repeating: 0, count: n)
    let transform = FourierTransform(count: n)
    transform.transform(&re, &im)
    for k in 0..<n {
      let share = Self.share(min(k, n - k), of: n / 2 + 1, settings)
      // Conjugated, so that a second forward transform goes back.
      re[k] *= share
      im[k] *= -share
    }
    transform.transform(&re, &im)
    for (rank, index) in order.enumerated() {
      output[Int(index)] = Float(Double(a[Int(index)]) + re[rank] / Double(n))
    }
  }

  private static func share(_ k: Int, of count: Int, _ settings: MergeSettings) -> Double {
    let frequency = Double(k) / Double(count)
    guard settings.beta > 1e-10 else { return frequency >= settings.alpha ? 1 : 0 }
    return min(1, max(0, (frequency - settings.alpha) / settings.beta + 0.5))
  }
}
