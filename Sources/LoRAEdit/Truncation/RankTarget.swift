public import Tensors

/// How much of each change is kept.
public enum RankTarget: Hashable, Sendable {
  /// Everything: the factors as they are, side by side.
  case exact
  /// A rank for all modules, and another for those with a kernel larger than 1×1; 0 leaves them out.
  case rank(Int, kernels: Int?)
  /// The lowest rank that keeps this share of ‖ΔW‖² in each module, above 0 and at most 1.
  case energy(Double)
  /// The lowest rank whose error ‖ΔW − ΔW'‖/‖ΔW‖ in each module is at most this.
  case error(Double)
  /// As much as fits a file of so many bytes: where a rank keeps most of ‖ΔW‖² for its bytes.
  case size(Int)

  /// Checks that the numbers make sense.
  ///
  /// - Throws: ``Rule/loraRankTarget``.
  public func check() throws(Fault) {
    func fault(_ what: String, _ expected: String, _ found: String) -> Fault {
      Fault(
        .loraRankTarget, "\(what) cannot be reached", expected: expected, found: found)
    }
    switch self {
    case .exact: break
    case .rank(let rank, let kernels):
      guard rank >= 1 else { throw fault("the rank", "at least 1", "\(rank)") }
      if let kernels, kernels < 0 { throw fault("the rank", "at least 0", "\(kernels)") }
    case .energy(let share):
      guard share > 0, share <= 1 else {
        throw fault("the energy", "a number above 0 and at most 1", "\(share)")
      }
    case .error(let error):
      guard error >= 0, error < 1 else {
        throw fault("the error", "a number from 0 to below 1", "\(error)")
      }
    case .size(let bytes):
      guard bytes > 0 else { throw fault("the size", "at least one byte", "\(bytes)") }
    }
  }

  /// The rank for a module.
  ///
  /// - Parameters:
  ///   - energies: the squares of the singular values, largest first.
  ///   - hasKernel: whether the module's kernel is larger than 1×1.
  /// - Returns: the rank; 0 for a change that is zero. ``exact`` and ``size(_:)`` keep all.
  func rank(for energies: [Double], hasKernel: Bool) -> Int {
    // Values that are rounding errors of the largest carry nothing.
    let noise = (energies.first ?? 0) * 1e-13
    let available = energies.count { $0 > noise && $0 > 0 }
    let total = energies.reduce(0, +)
    switch self {
    case .exact, .size: return available
    case .rank(let rank, let kernels): return min(available, hasKernel ? kernels ?? rank : rank)
    case .energy(let share): return lowest(energies, available, keeping: share * total)
    case .error(let error):
      return lowest(energies, available, keeping: (1 - error * error) * total)
    }
  }

  private func lowest(_ energies: [Double], _ available: Int, keeping wanted: Double) -> Int {
    var kept = 0.0
    for rank in 0..<available {
      kept += energies[rank]
      if kept >= wanted { return rank + 1 }
    }
    return available
  }

  /// The ranks with which the modules keep the most for their bytes.
  ///
  /// - Parameters:
  ///   - energies: for each module the squares of its singular values, largest first.
  ///   - costs: for each module the bytes of one rank.
  ///   - overheads: for each module the bytes that it takes whatever its rank.
  ///   - budget: the bytes for all.
  /// - Returns: a rank for each module.
  static func ranks(
    for energies: [[Double]], costs: [Int], overheads: [Int], budget: Int
  ) -> [Int] {
    var candidates: [(gain: Double, module: Int, rank: Int)] = []
    for (module, values) in energies.enumerated() {
      let noise = (values.first ?? 0) * 1e-13
      for (rank, value) in values.enumerated() where value > noise && value > 0 {
        candidates.append((value / Double(max(1, costs[module])), module, rank))
      }
    }
    // Within a module gains fall with the rank, so that ranks are taken in order.
    candidates.sort { a, b in
      a.gain != b.gain ? a.gain > b.gain : (a.module, a.rank) < (b.module, b.rank)
    }
    var ranks = [Int](repeating: 0, count: energies.count)
    var left = budget
    for candidate in candidates {
      let price = costs[candidate.module] + (candidate.rank == 0 ? overheads[candidate.module] : 0)
      guard candidate.rank == ranks[candidate.module] else { continue }
      guard price <= left else { continue }
      left -= price
      ranks[candidate.module] += 1
    }
    return ranks
  }
}
