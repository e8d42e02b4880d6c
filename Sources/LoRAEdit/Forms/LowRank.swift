public import LinearAlgebra
import Tensors

/// A change of a weight as a product of two narrow matrices: `ΔW = up · down`.
///
/// The weight is a matrix of outputs by everything else; α and strengths are part of `up`.
public struct LowRank: Equatable, Sendable {
  /// Outputs × rank.
  public var up: Matrix<Float>
  /// Rank × (inputs × kernel).
  public var down: Matrix<Float>

  /// The product of two matrices, which must fit each other.
  public init(up: Matrix<Float>, down: Matrix<Float>) {
    precondition(up.columns == down.rows, "factors of two ranks")
    self.up = up
    self.down = down
  }

  /// The number of columns of `up`.
  public var rank: Int { up.columns }

  /// The sum of the changes, exactly: the factors side by side.
  ///
  /// - Parameter terms: at least one; all of the same outputs and inputs.
  /// - Returns: one change whose rank is the sum of all ranks.
  static func sum(_ terms: [LowRank]) -> LowRank {
    if terms.count == 1 { return terms[0] }
    let rank = terms.reduce(0) { $0 + $1.rank }
    var up: [Float] = []
    up.reserveCapacity(terms[0].up.rows * rank)
    for row in 0..<terms[0].up.rows {
      for term in terms {
        up += term.up.values[row * term.rank..<(row + 1) * term.rank]
      }
    }
    return LowRank(
      up: Matrix(rows: terms[0].up.rows, columns: rank, values: up),
      down: Matrix(rows: rank, columns: terms[0].down.columns, values: terms.flatMap(\.down.values))
    )
  }

  /// The whole change, as one side of a product with an identity: the lowest rank that holds any
  /// change of its shape.
  static func whole(_ change: Matrix<Float>) -> LowRank {
    let identity = Matrix(diagonal: [Float](repeating: 1, count: min(change.rows, change.columns)))
    return change.rows <= change.columns
      ? LowRank(up: identity, down: change) : LowRank(up: change, down: identity)
  }

  /// The same change with no higher rank than any change of its shape needs.
  func bounded(_ algebra: LinearAlgebra) throws(Fault) -> LowRank {
    guard rank > min(up.rows, down.columns) else { return self }
    return .whole(try algebra.product(up, down))
  }
}
