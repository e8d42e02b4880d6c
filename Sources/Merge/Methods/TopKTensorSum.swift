/// `A′ where s < |A′| ≤ e, A elsewhere`: A′ are the values of A in the order of those of B.
///
/// s and e are the ⌊βn⌉th and ⌊(α + β)n⌉th smallest magnitudes of A, none for the 0th. The range
/// wraps around and may be negative as in ``TensorSumRound``. Equal values keep their order.
///
/// Origin: `top_k_tensor_sum` of sd-meh. ``TopKTensorSumInclusive`` is a variant.
///
/// Parameters: α, β.
struct TopKTensorSum: MergeMethod {
  let name = "top-k-tensor-sum"
  let formula = "A′ where s < |A′| ≤ e, A elsewhere"
  let inputs = MergeInputs.two
  let parameters: [MergeParameter] = [.alpha(0.5, in: -1...1), .beta(0, in: -1...1)]
  let reach = MergeReach.tensor

  func scratchBytesPerElement(inputs count: Int) -> Int { 20 }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    Self.merge(operands, settings, includesStart: false, into: &output)
  }

  static func merge(
    _ operands: Operands, _ settings: MergeSettings, includesStart: Bool,
    into output: inout MutableSpan<Float>
  ) {
    let (a, b) = (operands[0], operands[1])
    precondition(a.count == output.count && b.count == output.count)
    let n = output.count
    let region = Region(width: settings.alpha, offset: settings.beta, of: n)
    func magnitude(_ rank: Int) -> Double {
      guard rank > 0 else { return -1 }
      let key = Ranking.select(rank - 1, of: n) { Ranking.magnitude(a[$0]) }.key
      return Double(Float(bitPattern: key))
    }
    let (start, end) = (magnitude(region.start), magnitude(region.end))
    var sorted = [Float]()
    sorted.reserveCapacity(n)
    for index in Ranking.order(a) { sorted.append(a[Int(index)]) }
    for (rank, index) in Ranking.order(b).enumerated() {
      let value = sorted[rank]
      let size = Double(value.magnitude)
      let isInside = (includesStart ? start <= size : start < size) && size <= end
      output[Int(index)] = isInside != region.isInverted ? value : a[Int(index)]
    }
  }
}
