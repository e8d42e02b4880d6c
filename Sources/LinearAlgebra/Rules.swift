public import Tensors

extension Rule {
  /// No library for linear algebra could be loaded.
  public static let linearAlgebraMissing = Rule(
    "LA001", .fatal, "no linear algebra library",
    "Factorisations of matrices come from OpenBLAS, or another library with BLAS and LAPACK, which "
      + "is loaded when a command needs it. On Debian and Ubuntu install libopenblas0, on Fedora "
      + "openblas, on Arch openblas, on Alpine openblas. No other command needs it.")
  /// A factorisation met values that are not finite, or did not converge.
  public static let noFactorization = Rule(
    "LA002", .fatal, "matrix cannot be factored",
    "The matrix holds infinities or NaN, or values so large that its factorisation overflows. The "
      + "file that it comes from is damaged; validate it.")
  /// A matrix that must be inverted has no inverse.
  public static let singularMatrix = Rule(
    "LA003", .fatal, "matrix has no inverse",
    "A matrix that has to be inverted is singular: some combination of its rows is zero. The file "
      + "that it comes from is damaged, or was made for another purpose.")
  /// A matrix is larger than the library can count, or than memory.
  public static let matrixTooLarge = Rule(
    "LA004", .fatal, "matrix too large",
    "The matrix has more rows, columns or values than the linear algebra library can count (2^31), "
      + "or there is no memory to factor it.")

  /// All rules about linear algebra.
  public static let linearAlgebraRules: [Rule] = [
    .linearAlgebraMissing, .noFactorization, .singularMatrix, .matrixTooLarge,
  ]
}

extension Fault {
  /// A matrix that holds infinities or NaN, or with which an iteration does not end.
  static func notFactored(_ operation: String, _ rows: Int, _ columns: Int) -> Fault {
    Fault(
      .noFactorization, "a matrix has no \(operation)", expected: "finite values",
      found: "infinities, NaN or overflow in a \(rows) × \(columns) matrix",
      hint: "check the file it comes from with sdtool validate")
  }

  static func tooLarge(_ rows: Int, _ columns: Int) -> Fault {
    Fault(
      .matrixTooLarge, "a matrix is too large", expected: "fewer than 2^31 values",
      found: "\(rows) × \(columns)")
  }
}
