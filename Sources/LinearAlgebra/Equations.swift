import CLinearAlgebra
public import Tensors

extension LinearAlgebra {
  /// The X with A·X = B, for a square A.
  ///
  /// - Throws: ``Rule/singularMatrix``, ``Rule/noFactorization`` or ``Rule/matrixTooLarge``.
  public func solve<Scalar: MatrixScalar>(
    _ a: Matrix<Scalar>, _ b: Matrix<Scalar>
  ) throws(Fault) -> Matrix<Scalar> {
    precondition(a.rows == a.columns && b.rows == a.rows, "equations that do not fit")
    let (n, _) = try Self.checked(a.rows, a.columns)
    let (_, k) = try Self.checked(b.rows, b.columns)
    try Self.requireFinite(a, "solution")
    try Self.requireFinite(b, "solution")
    var factors = a
    var x = b
    guard n > 0, k > 0 else { return x }
    let status = unsafe factors.values.withUnsafeMutableBufferPointer { a in
      unsafe x.values.withUnsafeMutableBufferPointer { x in
        unsafe cla_solve(Scalar.precision, n, k, a.baseAddress, x.baseAddress)
      }
    }
    try Self.check(regular: status, a.rows)
    return x
  }

  /// The inverse of a square matrix.
  ///
  /// - Throws: ``Rule/singularMatrix``, ``Rule/noFactorization`` or ``Rule/matrixTooLarge``.
  public func inverse<Scalar: MatrixScalar>(
    of matrix: Matrix<Scalar>
  ) throws(Fault) -> Matrix<Scalar> {
    precondition(matrix.rows == matrix.columns, "inverse of a matrix that is not square")
    let (n, _) = try Self.checked(matrix.rows, matrix.columns)
    try Self.requireFinite(matrix, "inverse")
    var result = matrix
    guard n > 0 else { return result }
    let status = unsafe result.values.withUnsafeMutableBufferPointer { a in
      unsafe cla_invert(Scalar.precision, n, a.baseAddress)
    }
    try Self.check(regular: status, matrix.rows)
    return result
  }

  private static func check(regular status: Int32, _ order: Int) throws(Fault) {
    if status > 0 {
      throw Fault(
        .singularMatrix, "a matrix has no inverse", found: "a singular \(order) × \(order) matrix",
        hint: "check the file it comes from with sdtool validate")
    }
    try check(status, "inverse", order, order)
  }
}
