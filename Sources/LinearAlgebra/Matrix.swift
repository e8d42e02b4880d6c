import CLinearAlgebra

/// A number that matrices can be made of: `Float` or `Double`.
public protocol MatrixScalar: BinaryFloatingPoint & Sendable {}

extension Float: MatrixScalar {}
extension Double: MatrixScalar {}

extension MatrixScalar {
  /// How the C functions call this type.
  static var precision: cla_precision {
    MemoryLayout<Self>.size == 4 ? CLA_SINGLE : CLA_DOUBLE
  }
}

/// A matrix as a value: row by row, without gaps.
///
///     var a = Matrix<Double>(rows: 2, columns: 3)
///     a[0, 2] = 1
public struct Matrix<Scalar: MatrixScalar>: Equatable, Sendable {
  /// The number of rows.
  public let rows: Int
  /// The number of columns.
  public let columns: Int
  /// All values, row by row: `rows * columns` of them.
  public var values: [Scalar]

  /// A matrix of zeros; the number of values must be an `Int`.
  @inlinable public init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    values = [Scalar](repeating: 0, count: rows * columns)
  }

  /// A matrix of the given values, of which there must be `rows * columns`.
  @inlinable public init(rows: Int, columns: Int, values: [Scalar]) {
    precondition(values.count == rows * columns, "a matrix with another number of values")
    self.rows = rows
    self.columns = columns
    self.values = values
  }

  /// A matrix with given values on its diagonal.
  public init(diagonal: [Scalar]) {
    self.init(rows: diagonal.count, columns: diagonal.count)
    for (index, value) in diagonal.enumerated() { self[index, index] = value }
  }

  /// The value in a row and column.
  @inlinable public subscript(row: Int, column: Int) -> Scalar {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  /// Rows become columns.
  public var transposed: Matrix {
    var result = Matrix(rows: columns, columns: rows)
    unsafe values.withUnsafeBufferPointer { from in
      unsafe result.values.withUnsafeMutableBufferPointer { to in
        unsafe cla_transpose(
          Scalar.precision, Int64(rows), Int64(columns), from.baseAddress, to.baseAddress)
      }
    }
    return result
  }

  /// The first `count` rows.
  public func prefix(rows count: Int) -> Matrix {
    Matrix(rows: count, columns: columns, values: Array(values[..<(count * columns)]))
  }

  /// The first `count` columns.
  public func prefix(columns count: Int) -> Matrix {
    var kept: [Scalar] = []
    kept.reserveCapacity(rows * count)
    for row in 0..<rows { kept += values[row * columns..<row * columns + count] }
    return Matrix(rows: rows, columns: count, values: kept)
  }

  /// Each row times a number of its own, of which there are as many as rows.
  public func scaled(rows factors: [Scalar]) -> Matrix {
    precondition(factors.count == rows, "another number of factors than rows")
    var result = self
    unsafe result.values.withUnsafeMutableBufferPointer { values in
      unsafe factors.withUnsafeBufferPointer { factors in
        unsafe cla_scale(
          Scalar.precision, Int64(rows), Int64(columns), factors.baseAddress, nil,
          values.baseAddress)
      }
    }
    return result
  }

  /// Each column times a number of its own, of which there are as many as columns.
  public func scaled(columns factors: [Scalar]) -> Matrix {
    precondition(factors.count == columns, "another number of factors than columns")
    var result = self
    unsafe result.values.withUnsafeMutableBufferPointer { values in
      unsafe factors.withUnsafeBufferPointer { factors in
        unsafe cla_scale(
          Scalar.precision, Int64(rows), Int64(columns), nil, factors.baseAddress,
          values.baseAddress)
      }
    }
    return result
  }

  /// Each value times the same number.
  public func scaled(by factor: Scalar) -> Matrix {
    scaled(rows: Array(repeating: factor, count: rows))
  }

  /// Subtracts a matrix of the same extents, value by value.
  public mutating func subtract(_ other: Matrix) {
    precondition(rows == other.rows && columns == other.columns, "matrices of two shapes")
    unsafe other.values.withUnsafeBufferPointer { other in
      unsafe values.withUnsafeMutableBufferPointer { values in
        unsafe cla_subtract(
          Scalar.precision, Int64(values.count), other.baseAddress, values.baseAddress)
      }
    }
  }

  /// The sum of the squares of all values, in double precision and always in the same order.
  public var squaredNorm: Double {
    unsafe values.withUnsafeBufferPointer {
      unsafe cla_squared_norm(Scalar.precision, Int64($0.count), $0.baseAddress)
    }
  }

  /// Whether no value is infinite or NaN.
  public var isFinite: Bool {
    unsafe values.withUnsafeBufferPointer {
      unsafe cla_is_finite(Scalar.precision, Int64($0.count), $0.baseAddress) != 0
    }
  }
}

extension Matrix<Float> {
  /// The same values in double precision.
  public var doubles: Matrix<Double> {
    var result = Matrix<Double>(rows: rows, columns: columns)
    unsafe values.withUnsafeBufferPointer { from in
      unsafe result.values.withUnsafeMutableBufferPointer { to in
        unsafe cla_convert(CLA_SINGLE, Int64(from.count), from.baseAddress, to.baseAddress)
      }
    }
    return result
  }
}

extension Matrix<Double> {
  /// The values rounded to single precision.
  public var singles: Matrix<Float> {
    var result = Matrix<Float>(rows: rows, columns: columns)
    unsafe values.withUnsafeBufferPointer { from in
      unsafe result.values.withUnsafeMutableBufferPointer { to in
        unsafe cla_convert(CLA_DOUBLE, Int64(from.count), from.baseAddress, to.baseAddress)
      }
    }
    return result
  }
}
