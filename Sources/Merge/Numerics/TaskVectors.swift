import Tensors

/// How the differences of several models from their base become one.
enum Consensus {
  /// `Σ wᵢdᵢ`.
  case sum
  /// `Σ wᵢdᵢ` over the models where wᵢdᵢ has the sign of the whole sum, 0 counting as positive.
  case signOfSum
  /// The same, divided by the sum of the weights of those models.
  case meanBySignOfSum
  /// The mean of the dᵢ that have the sign which most of them have.
  case meanByVote
}

/// The methods that add up sparse differences from a base: TIES, DARE, DELLA, Breadcrumbs.
///
/// Every result is `B + α·(…)` with the base B first among the operands.
struct TaskVectors {
  let sparsity: Sparsity
  let rescaling: Rescaling
  let consensus: Consensus

  /// One difference of each model is held.
  static func scratchBytesPerElement(inputs count: Int, _ sparsity: Sparsity) -> Int {
    if case .randomByRank = sparsity { return 4 * count + 24 }
    return 4 * count
  }

  func merge(
    _ operands: Operands, _ tensor: MergedTensor, _ settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let base = operands[0]
    precondition(base.count == output.count)
    let weights = (1..<operands.count).map { settings.weight($0 - 1) }
    let differences = weights.indices.map { model in
      let values = operands[model + 1]
      precondition(values.count == base.count)
      var difference = [Float](repeating: 0, count: base.count)
      for i in base.indices { difference[i] = values[i] - base[i] }
      sparsity.apply(
        to: &difference, rescaling, tensor: tensor, settings: settings, model: model)
      return difference
    }
    for i in output.indices {
      let step = join(differences, weights, at: i)
      output[i] = Float(Double(base[i]) + settings.alpha * step)
    }
  }

  @inline(__always)
  private func join(_ differences: [[Float]], _ weights: [Double], at i: Int) -> Double {
    var sum = 0.0
    switch consensus {
    case .sum:
      for model in weights.indices { sum += weights[model] * Double(differences[model][i]) }
      return sum
    case .signOfSum, .meanBySignOfSum:
      for model in weights.indices { sum += weights[model] * Double(differences[model][i]) }
      let isPositive = sum >= 0
      var (agreed, divisor) = (0.0, 0.0)
      for model in weights.indices {
        let part = weights[model] * Double(differences[model][i])
        guard part != 0, (part > 0) == isPositive else { continue }
        agreed += part
        divisor += weights[model]
      }
      return consensus == .signOfSum || divisor == 0 ? agreed : agreed / divisor
    case .meanByVote:
      var votes = 0
      for difference in differences where difference[i] != 0 { votes += difference[i] > 0 ? 1 : -1 }
      var count = 0
      for difference in differences where Self.sign(difference[i]) == votes.signum() {
        sum += Double(difference[i])
        count += 1
      }
      return count == 0 ? 0 : sum / Double(count)
    }
  }

  @inline(__always)
  private static func sign(_ value: Float) -> Int { value > 0 ? 1 : value < 0 ? -1 : 0 }
}
