import LinearAlgebra
import Tensors

/// A product of two narrow matrices by singular values, found without ever computing the product.
///
/// `up = Q₁R`, `down = LQ₂`, `RL = U·diag(s)·V`: the singular vectors are `Q₁U` and `VQ₂`. The cost is
/// that of the factors' size times the rank, not of the weight's.
struct Decomposition: Sendable {
  /// The singular values of the change, largest first.
  let values: [Float]
  private let q1: Matrix<Float>?
  private let u: Matrix<Float>
  private let v: Matrix<Float>
  private let q2: Matrix<Float>?

  /// Decomposes a change.
  init(_ change: LowRank, _ algebra: LinearAlgebra) throws(Fault) {
    var middle: (left: Matrix<Float>?, right: Matrix<Float>?) = (nil, nil)
    if change.rank <= change.up.rows {
      let (q, r) = try algebra.qr(of: change.up)
      q1 = q
      middle.left = r
    } else {
      q1 = nil
    }
    if change.rank <= change.down.columns {
      let (l, q) = try algebra.lq(of: change.down)
      q2 = q
      middle.right = l
    } else {
      q2 = nil
    }
    let core = try algebra.product(middle.left ?? change.up, middle.right ?? change.down)
    let svd = try algebra.singularValues(of: core)
    (u, values, v) = (svd.u, svd.s, svd.v)
  }

  /// The squares of the singular values, in double precision.
  var energies: [Double] { values.map { Double($0) * Double($0) } }

  /// The best approximation of a rank; the square roots of the values are shared by both factors.
  func truncated(to rank: Int, _ algebra: LinearAlgebra) throws(Fault) -> LowRank {
    let roots = values.prefix(rank).map { $0.squareRoot() }
    let left = u.prefix(columns: rank).scaled(columns: roots)
    let right = v.prefix(rows: rank).scaled(rows: roots)
    return LowRank(
      up: try q1.map { q throws(Fault) in try algebra.product(q, left) } ?? left,
      down: try q2.map { q throws(Fault) in try algebra.product(right, q) } ?? right)
  }
}
