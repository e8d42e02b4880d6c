import CLinearAlgebra
public import Tensors

extension LinearAlgebra {
  /// A matrix as U·diag(s)·V.
  public struct SVD<Scalar: MatrixScalar>: Sendable {
    /// The left vectors, one a column: rows × k.
    public var u: Matrix<Scalar>
    /// The singular values, the largest first: k = the smaller of rows and columns.
    public var s: [Scalar]
    /// The right vectors, one a row: k × columns.
    public var v: Matrix<Scalar>
  }

  /// A matrix with no more columns than rows as Q·R.
  ///
  /// - Returns: Q with orthonormal columns, and the upper triangular R, whose diagonal is not
  ///   negative.
  /// - Throws: ``Rule/noFactorization`` or ``Rule/matrixTooLarge``.
  public func qr<Scalar: MatrixScalar>(
    of matrix: Matrix<Scalar>
  ) throws(Fault) -> (q: Matrix<Scalar>, r: Matrix<Scalar>) {
    precondition(matrix.columns <= matrix.rows, "QR of a wide matrix")
    let (q, r) = try unsafe factored(matrix, order: matrix.columns, "QR factorisation", by: cla_qr)
    let signs = (0..<r.rows).map { Scalar(r[$0, $0] < 0 ? -1 : 1) }
    return (q.scaled(columns: signs), r.scaled(rows: signs))
  }

  /// A matrix with no more rows than columns as L·Q.
  ///
  /// - Returns: Q with orthonormal rows, and the lower triangular L, whose diagonal is not negative.
  /// - Throws: ``Rule/noFactorization`` or ``Rule/matrixTooLarge``.
  public func lq<Scalar: MatrixScalar>(
    of matrix: Matrix<Scalar>
  ) throws(Fault) -> (l: Matrix<Scalar>, q: Matrix<Scalar>) {
    precondition(matrix.rows <= matrix.columns, "LQ of a tall matrix")
    let (q, l) = try unsafe factored(matrix, order: matrix.rows, "LQ factorisation", by: cla_lq)
    let signs = (0..<l.rows).map { Scalar(l[$0, $0] < 0 ? -1 : 1) }
    return (l.scaled(columns: signs), q.scaled(rows: signs))
  }

  /// A matrix as an orthonormal one of its shape and a triangular one of the given order.
  private func factored<Scalar: MatrixScalar>(
    _ matrix: Matrix<Scalar>, order: Int, _ name: String,
    by factor: (
      cla_precision, Int32, Int32, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?
    ) -> Int32
  ) throws(Fault) -> (orthonormal: Matrix<Scalar>, triangular: Matrix<Scalar>) {
    let (m, n) = try Self.checked(matrix.rows, matrix.columns)
    var orthonormal = matrix
    var triangular = Matrix<Scalar>(rows: order, columns: order)
    guard order > 0 else { return (orthonormal, triangular) }
    try Self.requireFinite(matrix, name)
    let result = unsafe orthonormal.values.withUnsafeMutableBufferPointer { a in
      unsafe triangular.values.withUnsafeMutableBufferPointer { b in
        unsafe factor(Scalar.precision, m, n, a.baseAddress, b.baseAddress)
      }
    }
    try Self.check(result, name, matrix.rows, matrix.columns)
    return (orthonormal, triangular)
  }

  /// The thin singular value decomposition.
  ///
  /// Of each pair of vectors the left one's largest component, the first of equals, is positive.
  ///
  /// - Throws: ``Rule/noFactorization`` or ``Rule/matrixTooLarge``.
  public func singularValues<Scalar: MatrixScalar>(
    of matrix: Matrix<Scalar>
  ) throws(Fault) -> SVD<Scalar> {
    let (m, n) = try Self.checked(matrix.rows, matrix.columns)
    let k = Int(min(m, n))
    try Self.requireFinite(matrix, "singular values")
    var result = SVD<Scalar>(
      u: Matrix(rows: matrix.rows, columns: k), s: Array(repeating: 0, count: k),
      v: Matrix(rows: k, columns: matrix.columns))
    guard k > 0 else { return result }
    var status = decompose(matrix, m, n, simple: false, into: &result)
    if status != 0, status != Int32(CLA_NO_MEMORY) {
      status = decompose(matrix, m, n, simple: true, into: &result)
    }
    try Self.check(status, "singular values", matrix.rows, matrix.columns)
    result.fixSigns()
    return result
  }

  private func decompose<Scalar: MatrixScalar>(
    _ matrix: Matrix<Scalar>, _ m: Int32, _ n: Int32, simple: Bool, into svd: inout SVD<Scalar>
  ) -> Int32 {
    var copy = matrix.values
    return unsafe copy.withUnsafeMutableBufferPointer { a in
      unsafe svd.s.withUnsafeMutableBufferPointer { s in
        unsafe svd.u.values.withUnsafeMutableBufferPointer { u in
          unsafe svd.v.values.withUnsafeMutableBufferPointer { v in
            unsafe cla_svd(
              Scalar.precision, simple ? 1 : 0, m, n, a.baseAddress, s.baseAddress,
              u.baseAddress, v.baseAddress)
          }
        }
      }
    }
  }

  /// The eigenvalues of a symmetric matrix, largest first, and its orthonormal eigenvectors, one a
  /// row, with a positive largest component.
  ///
  /// Only one triangle of the matrix is read.
  ///
  /// - Throws: ``Rule/noFactorization`` or ``Rule/matrixTooLarge``.
  public func eigenvalues<Scalar: MatrixScalar>(
    ofSymmetric matrix: Matrix<Scalar>
  ) throws(Fault) -> (values: [Scalar], vectors: Matrix<Scalar>) {
    precondition(matrix.rows == matrix.columns, "eigenvalues of a matrix that is not square")
    let (n, _) = try Self.checked(matrix.rows, matrix.columns)
    guard n > 0 else { return ([], matrix) }
    try Self.requireFinite(matrix, "eigenvalues")
    var vectors = matrix
    var values = [Scalar](repeating: 0, count: matrix.rows)
    let status = unsafe vectors.values.withUnsafeMutableBufferPointer { a in
      unsafe values.withUnsafeMutableBufferPointer { w in
        unsafe cla_eigen(Scalar.precision, n, a.baseAddress, w.baseAddress)
      }
    }
    try Self.check(status, "eigenvalues", matrix.rows, matrix.columns)
    var sorted = Matrix<Scalar>(rows: matrix.rows, columns: matrix.columns)
    for row in 0..<matrix.rows {
      let source = matrix.rows - 1 - row
      let part = vectors.values[source * matrix.columns..<(source + 1) * matrix.columns]
      let sign: Scalar = part.signOfLargest < 0 ? -1 : 1
      for (column, value) in part.enumerated() { sorted[row, column] = sign * value }
    }
    return (values.reversed(), sorted)
  }

  static func requireFinite<Scalar: MatrixScalar>(
    _ matrix: Matrix<Scalar>, _ operation: String
  ) throws(Fault) {
    guard matrix.isFinite else { throw .notFactored(operation, matrix.rows, matrix.columns) }
  }
}

extension Collection where Element: MatrixScalar {
  /// The value furthest from zero, the first of equals.
  fileprivate var signOfLargest: Element {
    var largest: Element = 0
    for value in self where abs(value) > abs(largest) { largest = value }
    return largest
  }
}

extension LinearAlgebra.SVD {
  /// Makes the largest component of each left vector positive.
  fileprivate mutating func fixSigns() {
    var largest = [Scalar](repeating: 0, count: s.count)
    for row in 0..<u.rows {
      for column in 0..<s.count where abs(u[row, column]) > abs(largest[column]) {
        largest[column] = u[row, column]
      }
    }
    let signs = largest.map { Scalar($0 < 0 ? -1 : 1) }
    u = u.scaled(columns: signs)
    v = v.scaled(rows: signs)
  }
}
