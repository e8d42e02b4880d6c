import CLinearAlgebra
public import Tensors

/// Products and factorisations of matrices, by OpenBLAS.
///
/// Having a value means having the library: it is loaded, once, by ``load()``, so that programs that
/// need no linear algebra do not pay for it. All operations may be used from several threads at
/// once; each runs on the thread that calls it. The results have the same bits on every processor
/// with AVX2, unless `OPENBLAS_CORETYPE` chooses other kernels: it is set to `Haswell` where
/// nothing else is. Signs that a factorisation leaves free are chosen by rule.
///
///     let algebra = try LinearAlgebra.load()
///     let (u, s, v) = try algebra.singularValues(of: matrix)
public struct LinearAlgebra: Sendable {
  /// The library, for example `"libopenblas.so.0"`.
  public let library: String
  /// What the library says about version and processor; may be empty.
  public let configuration: String

  /// Loads the library, unless it is there already.
  ///
  /// - Throws: ``Rule/linearAlgebraMissing``.
  public static func load() throws(Fault) -> LinearAlgebra {
    let isLoaded = cla_load() == 0
    let name = unsafe String(cString: cla_library())
    guard isLoaded else {
      throw Fault(
        .linearAlgebraMissing, "cannot be done without a library for linear algebra",
        expected: "libopenblas.so.0 or liblapack.so.3", found: name,
        hint: "install it (Debian and Ubuntu: apt install libopenblas0)")
    }
    return LinearAlgebra(
      library: name, configuration: unsafe String(cString: cla_configuration()))
  }

  /// The extents as the library counts them.
  ///
  /// - Throws: ``Rule/matrixTooLarge``.
  static func checked(_ rows: Int, _ columns: Int) throws(Fault) -> (Int32, Int32) {
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    guard let r = Int32(exactly: rows), let c = Int32(exactly: columns), !overflow,
      count < Int(Int32.max)
    else { throw .tooLarge(rows, columns) }
    return (r, c)
  }

  /// Makes what a function returned a fault, if it was one.
  static func check(
    _ result: Int32, _ operation: String, _ rows: Int, _ columns: Int
  ) throws(Fault) {
    guard result != 0 else { return }
    if result == Int32(CLA_NO_MEMORY) {
      throw Fault(
        .matrixTooLarge, "there is no memory to factor a matrix",
        found: "\(rows) × \(columns) values")
    }
    throw .notFactored(operation, rows, columns)
  }
}
