import LinearAlgebra
import Tensors

/// The largest singular values and vectors of a matrix by randomised subspace iteration.
///
/// A random subspace, multiplied by the matrix again and again, turns towards the leading singular
/// vectors; each turn shows what the subspace captures, and iteration ends when another turn would
/// gain next to nothing. The random numbers follow from a key, so that the result is reproducible.
///
/// Source: Halko, Martinsson, Tropp, "Finding structure with randomness", SIAM Review 53 (2011),
/// algorithm 4.4.
struct RandomizedSVD {
  /// A change by its leading singular vectors.
  struct Result {
    /// Outputs × rank, orthonormal columns.
    var left: Matrix<Float>
    /// The singular values, largest first.
    var values: [Float]
    /// Rank × inputs, orthonormal rows.
    var right: Matrix<Float>
    /// What the best approximation of the same rank is estimated to capture beyond this one, of
    /// ‖ΔW‖².
    var missing: Double
  }

  let algebra: LinearAlgebra
  /// What the random numbers follow from.
  let key: UInt64

  /// How many vectors more than wanted are iterated: they absorb what lies near the last one.
  static let oversampling = 10
  /// The most turns.
  static let turns = 12
  /// Iteration ends when the estimated loss is below this share of what is not captured.
  static let tolerance = 1e-3

  /// The `rank` leading singular values of `matrix`.
  ///
  /// - Parameters:
  ///   - rank: how many; fewer if the matrix has fewer.
  ///   - matrix: a matrix of finite values.
  ///   - energy: ‖matrix‖².
  /// - Returns: the values with their vectors.
  /// - Throws: ``Rule/noFactorization``.
  func leading(_ rank: Int, of matrix: Matrix<Float>, energy: Double) throws(Fault) -> Result {
    let smallest = min(matrix.rows, matrix.columns)
    let width = min(rank + Self.oversampling, smallest)
    // The short side is the cheaper one to orthonormalise.
    var random = Matrix<Float>(rows: matrix.columns, columns: width)
    let normal = NormalValues(key: key, mean: 0, deviation: 1)
    var span = random.values.mutableSpan
    var bytes = unsafe span.mutableBytes
    normal.fill(&bytes, with: .f32, from: 0)
    var basis = try algebra.qr(of: try algebra.product(matrix, random)).q
    var captured = 0.0
    var gain = Double.infinity
    var missing = 0.0
    var rows = Matrix<Float>(rows: 0, columns: 0)
    for turn in 0..<Self.turns {
      // What the subspace captures of the matrix, by its singular values.
      rows = try algebra.product(basis, matrix, transposingA: true)
      let (l, q) = try algebra.lq(of: rows)
      let values = try algebra.singularValues(of: l).s.prefix(rank)
      let now = values.reduce(0.0) { $0 + Double($1) * Double($1) }
      let newGain = max(0, now - captured)
      // Gains shrink geometrically; the sum of those to come is what is missing.
      let ratio = turn >= 2 && gain > 0 ? min(0.95, newGain / gain) : 0.95
      missing = turn == 0 ? energy - now : newGain * ratio / (1 - ratio)
      (captured, gain) = (now, newGain)
      let rest = max(energy - now, energy * 1e-12)
      if turn >= 2, missing <= Self.tolerance * rest { break }
      if width == smallest, turn >= 1 { break }
      if turn == Self.turns - 1 { break }
      basis = try algebra.qr(of: try algebra.product(matrix, q, transposingB: true)).q
    }
    let (l, q) = try algebra.lq(of: rows)
    let svd = try algebra.singularValues(of: l)
    let kept = min(rank, svd.s.count)
    return Result(
      left: try algebra.product(basis, svd.u.prefix(columns: kept)),
      values: Array(svd.s.prefix(kept)),
      right: try algebra.product(svd.v.prefix(rows: kept), q),
      missing: width == smallest ? 0 : missing)
  }
}
