import LinearAlgebra
import Tensors

/// A low-rank approximation of one change, and how good it is.
struct Approximation {
  let factors: LowRank
  /// ‖ΔW‖².
  let energy: Double
  /// ‖ΔW − up·down‖², computed from the difference itself.
  let lost: Double
  /// An estimate of ‖ΔW − best‖² for the best approximation of the same rank.
  let optimum: Double
}

/// Finds low-rank approximations of dense changes.
struct Approximator {
  let algebra: LinearAlgebra
  let target: RankTarget
  /// Whether all singular values are computed instead of the leading ones.
  let isExact: Bool
  let maximumRank: Int?

  /// Approximates `change`.
  ///
  /// - Parameters:
  ///   - change: a difference of weights, as a matrix.
  ///   - hasKernel: whether the kernel is larger than 1×1.
  ///   - key: what random numbers follow from.
  /// - Returns: `nil` if nothing is to be kept.
  /// - Throws: ``Rule/noFactorization`` for values that are not finite.
  func approximation(
    of change: Matrix<Float>, hasKernel: Bool, key: UInt64
  ) throws(Fault) -> Approximation? {
    let energy = change.squaredNorm
    guard energy > 0 else { return nil }
    guard energy.isFinite else {
      throw Fault(.noFactorization, "holds differences that are infinite or NaN")
    }
    let smallest = min(change.rows, change.columns)
    let limit = min(smallest, maximumRank ?? .max)
    let found: RandomizedSVD.Result
    switch target {
    case .rank(let rank, let kernels):
      let wanted = min(limit, hasKernel ? kernels ?? rank : rank)
      guard wanted > 0 else { return nil }
      found =
        isExact || wanted > smallest / 3
        ? try GramSVD(change, algebra).leading(wanted, of: change, algebra)
        : try RandomizedSVD(algebra: algebra, key: key).leading(wanted, of: change, energy: energy)
    default:
      found = try reaching(change, energy, hasKernel: hasKernel, limit: limit, key: key)
    }
    let roots = found.values.map { $0.squareRoot() }
    let factors = LowRank(
      up: found.left.scaled(columns: roots), down: found.right.scaled(rows: roots))
    var rest = change
    try algebra.multiply(factors.up, factors.down, factor: -1, into: &rest)
    let lost = rest.squaredNorm
    return Approximation(
      factors: factors, energy: energy, lost: lost, optimum: max(0, lost - found.missing))
  }

  /// As many singular values as the target needs: ever more by iteration, all if that were no less
  /// work.
  private func reaching(
    _ change: Matrix<Float>, _ energy: Double, hasKernel: Bool, limit: Int, key: UInt64
  ) throws(Fault) -> RandomizedSVD.Result {
    let smallest = min(change.rows, change.columns)
    let wanted: Double
    switch target {
    case .energy(let share): wanted = share * energy
    case .error(let error): wanted = (1 - error * error) * energy
    default: wanted = energy
    }
    var rank = 16
    while !isExact, rank <= smallest / 8 {
      var found = try RandomizedSVD(algebra: algebra, key: key)
        .leading(min(rank, limit), of: change, energy: energy)
      var kept = 0.0
      for (index, value) in found.values.enumerated() {
        kept += Double(value) * Double(value)
        guard kept >= wanted || index + 1 == limit else { continue }
        found.cut(to: index + 1)
        return found
      }
      rank *= 2
    }
    let gram = try GramSVD(change, algebra)
    let energies = gram.values.map { $0 * $0 }
    let needed = target.rank(for: energies, hasKernel: hasKernel)
    return try gram.leading(max(1, min(limit, needed)), of: change, algebra)
  }
}

extension RandomizedSVD.Result {
  /// Leaves the first `rank` values and vectors.
  mutating func cut(to rank: Int) {
    guard rank < values.count else { return }
    left = left.prefix(columns: rank)
    values = Array(values.prefix(rank))
    right = right.prefix(rows: rank)
  }
}
