import CLinearAlgebra
public import Tensors

extension LinearAlgebra {
  /// The product of two matrices, of which either may be transposed first.
  ///
  /// - Throws: ``Rule/matrixTooLarge``.
  public func product<Scalar: MatrixScalar>(
    _ a: Matrix<Scalar>, _ b: Matrix<Scalar>, transposingA: Bool = false,
    transposingB: Bool = false
  ) throws(Fault) -> Matrix<Scalar> {
    var c = Matrix<Scalar>(
      rows: transposingA ? a.columns : a.rows, columns: transposingB ? b.rows : b.columns)
    try multiply(
      a, b, transposingA: transposingA, transposingB: transposingB, keeping: 0, into: &c)
    return c
  }

  /// Replaces `c` by `factor`·A·B + `keeping`·C.
  ///
  /// - Throws: ``Rule/matrixTooLarge``.
  public func multiply<Scalar: MatrixScalar>(
    _ a: Matrix<Scalar>, _ b: Matrix<Scalar>, transposingA: Bool = false,
    transposingB: Bool = false, factor: Scalar = 1, keeping: Scalar = 1,
    into c: inout Matrix<Scalar>
  ) throws(Fault) {
    let (inner, rows) = transposingA ? (a.rows, a.columns) : (a.columns, a.rows)
    let (columns, other) = transposingB ? (b.rows, b.columns) : (b.columns, b.rows)
    precondition(
      inner == other && c.rows == rows && c.columns == columns,
      "a product of matrices that do not fit")
    let aWidth = a.columns, bWidth = b.columns
    var span = c.values.mutableSpan
    try multiply(
      a.values.span, width: aWidth, transposed: transposingA, b.values.span, width: bWidth,
      transposed: transposingB, rows: rows, columns: columns, inner: inner, factor: factor,
      keeping: keeping, into: &span)
  }

  /// ``multiply(_:_:transposingA:transposingB:factor:keeping:into:)`` on values wherever they lie:
  /// row by row, `a` in rows of `aWidth` values and `b` in rows of `bWidth`; `c` is exactly
  /// `rows * columns` values, and `inner` is what is summed over.
  ///
  /// - Throws: ``Rule/matrixTooLarge``.
  public func multiply<Scalar: MatrixScalar>(
    _ a: Span<Scalar>, width aWidth: Int, transposed aTransposed: Bool = false,
    _ b: Span<Scalar>, width bWidth: Int, transposed bTransposed: Bool = false,
    rows: Int, columns: Int, inner: Int, factor: Scalar = 1, keeping: Scalar = 0,
    into c: inout MutableSpan<Scalar>
  ) throws(Fault) {
    let (m, n) = try Self.checked(rows, columns)
    let (k, _) = try Self.checked(inner, 1)
    let (aRows, bRows) = (aTransposed ? inner : rows, bTransposed ? columns : inner)
    let (_, lda) = try Self.checked(aRows, aWidth)
    let (_, ldb) = try Self.checked(bRows, bWidth)
    precondition(
      aWidth >= (aTransposed ? rows : inner) && bWidth >= (bTransposed ? inner : columns)
        && a.count >= aRows * aWidth && b.count >= bRows * bWidth && c.count == rows * columns,
      "a product of matrices that do not fit")
    guard m > 0, n > 0 else { return }
    unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        unsafe c.withUnsafeMutableBufferPointer { c in
          unsafe cla_multiply(
            Scalar.precision, aTransposed ? 1 : 0, bTransposed ? 1 : 0, m, n, k, Double(factor),
            a.baseAddress, max(1, lda), b.baseAddress, max(1, ldb), Double(keeping),
            c.baseAddress, n)
        }
      }
    }
  }
}
