import LinearAlgebra
import Tensors

/// All singular values of a matrix, from the eigenvalues of its smaller Gram matrix in double
/// precision.
///
/// Squaring loses half of the digits, of which double precision has enough: values down to 1e-7 of
/// the largest are right. Several times faster than a dense decomposition.
struct GramSVD {
  /// The singular values, largest first.
  let values: [Double]
  private let vectors: Matrix<Double>
  private let isWide: Bool

  /// Decomposes `matrix`.
  init(_ matrix: Matrix<Float>, _ algebra: LinearAlgebra) throws(Fault) {
    let doubles = matrix.doubles
    isWide = matrix.rows <= matrix.columns
    let gram =
      isWide
      ? try algebra.product(doubles, doubles, transposingB: true)
      : try algebra.product(doubles, doubles, transposingA: true)
    let eigen = try algebra.eigenvalues(ofSymmetric: gram)
    values = eigen.values.map { $0 > 0 ? $0.squareRoot() : 0 }
    vectors = eigen.vectors
  }

  /// The `rank` leading singular values and vectors of `matrix`, which must be the one that was
  /// decomposed.
  func leading(
    _ rank: Int, of matrix: Matrix<Float>, _ algebra: LinearAlgebra
  ) throws(Fault) -> RandomizedSVD.Result {
    let chosen = vectors.prefix(rows: rank)
    let inverse = values.prefix(rank).map { $0 > 0 ? 1 / $0 : 0 }
    let doubles = matrix.doubles
    let singles = values.prefix(rank).map { Float($0) }
    if isWide {
      let right = try algebra.product(chosen, doubles).scaled(rows: inverse)
      return RandomizedSVD.Result(
        left: chosen.transposed.singles, values: singles, right: right.singles, missing: 0)
    }
    let left = try algebra.product(doubles, chosen, transposingB: true).scaled(columns: inverse)
    return RandomizedSVD.Result(
      left: left.singles, values: singles, right: chosen.singles, missing: 0)
  }
}
