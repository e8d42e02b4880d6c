import JSON
import LinearAlgebra
import Tensors
import TestSupport
import Testing

@Suite("Linear algebra, compared with NumPy")
struct NumPyTests {
  /// The cases of fixtures/algebra/numpy.json.
  struct Case: CustomTestStringConvertible, Sendable {
    let value: JSONValue
    var testDescription: String { value["name"]?.string ?? "" }

    func matrix(_ key: String) throws -> Matrix<Double> {
      let shape = try #require(value[key]?["shape"]?.array).compactMap(\.integer)
      let values = try #require(value[key]?["values"]?.array).compactMap(\.double)
      let columns = shape.count > 1 ? shape[1] : 1
      return Matrix(rows: shape[0], columns: columns, values: values)
    }
  }

  static let cases: [Case] = {
    let parsed = try? JSONValue(parsing: contents(of: Fixtures.path("algebra/numpy.json")))
    return (parsed?.array ?? []).map(Case.init)
  }()

  private let algebra: LinearAlgebra
  init() throws { algebra = try LinearAlgebra.load() }

  private func distance(_ a: [Double], _ b: [Double]) -> Double {
    a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
  }

  @Test("there are cases")
  func someCases() { #expect(Self.cases.count == 5) }

  @Test("singular values and vectors with their signs, in both precisions", arguments: cases)
  func svd(of test: Case) throws {
    let matrix = try test.matrix("matrix")
    let double = try algebra.singularValues(of: matrix)
    #expect(distance(double.s, try test.matrix("s").values) < 1e-13)
    #expect(distance(double.u.values, try test.matrix("u").values) < 1e-12)
    #expect(distance(double.v.values, try test.matrix("v").values) < 1e-12)
    let single = try algebra.singularValues(of: matrix.singles)
    #expect(distance(single.s.map(Double.init), double.s) < 1e-5)
    #expect(distance(single.u.doubles.values, double.u.values) < 1e-4)
  }

  @Test("QR of tall and LQ of wide matrices", arguments: cases)
  func qr(of test: Case) throws {
    let matrix = try test.matrix("matrix")
    let (q, r) = (try test.matrix("q"), try test.matrix("r"))
    if matrix.rows >= matrix.columns {
      let mine = try algebra.qr(of: matrix)
      #expect(distance(mine.q.values, q.values) < 1e-13)
      #expect(distance(mine.r.values, r.values) < 1e-13)
    } else {
      let mine = try algebra.lq(of: matrix)
      #expect(distance(mine.q.values, q.transposed.values) < 1e-13)
      #expect(distance(mine.l.values, r.transposed.values) < 1e-13)
    }
  }

  @Test("products with either factor transposed", arguments: cases)
  func product(of test: Case) throws {
    let matrix = try test.matrix("matrix")
    let gram = try test.matrix("gram").values
    let turned = matrix.transposed
    #expect(distance(try algebra.product(matrix, matrix, transposingA: true).values, gram) < 1e-13)
    #expect(distance(try algebra.product(turned, turned, transposingB: true).values, gram) < 1e-13)
    #expect(distance(try algebra.product(turned, matrix).values, gram) < 1e-13)
    var sum = Matrix<Double>(rows: matrix.columns, columns: matrix.columns, values: gram)
    try algebra.multiply(turned, matrix, factor: -2, keeping: 3, into: &sum)
    #expect(distance(sum.values, gram) < 1e-12)
  }

  @Test("solutions, inverses and eigenvalues of square matrices", arguments: cases)
  func square(of test: Case) throws {
    guard test.value["right"] != nil else { return }
    let matrix = try test.matrix("matrix")
    let solution = try algebra.solve(matrix, try test.matrix("right"))
    #expect(distance(solution.values, try test.matrix("solution").values) < 1e-11)
    let inverse = try algebra.inverse(of: matrix)
    #expect(distance(inverse.values, try test.matrix("inverse").values) < 1e-11)
    let eigen = try algebra.eigenvalues(ofSymmetric: try test.matrix("symmetric"))
    #expect(distance(eigen.values, try test.matrix("eigenvalues").values) < 1e-12)
    #expect(distance(eigen.vectors.values, try test.matrix("eigenvectors").values) < 1e-12)
  }
}

@Suite("Linear algebra at its edges")
struct LinearAlgebraTests {
  private let algebra: LinearAlgebra
  init() throws { algebra = try LinearAlgebra.load() }

  @Test("a matrix that is not finite is refused, also by iterations that would not end")
  func notFinite() throws {
    for bad in [Float.nan, .infinity] {
      let matrix = Matrix<Float>(rows: 2, columns: 2, values: [1, bad, 0, 1])
      #expect(throws: Fault.self) { try algebra.singularValues(of: matrix) }
      #expect(throws: Fault.self) { try algebra.qr(of: matrix) }
      #expect(throws: Fault.self) { try algebra.inverse(of: matrix) }
    }
  }

  @Test("a singular matrix has no inverse and no solution")
  func singular() throws {
    let matrix = Matrix<Double>(rows: 2, columns: 2, values: [1, 2, 2, 4])
    let fault = #expect(throws: Fault.self) { try algebra.inverse(of: matrix) }
    #expect(fault?.rule == .singularMatrix)
    #expect(throws: Fault.self) { try algebra.solve(matrix, matrix) }
  }

  @Test("empty matrices are factored to empty ones")
  func empty() throws {
    let none = Matrix<Float>(rows: 3, columns: 0)
    #expect(try algebra.singularValues(of: none).s.isEmpty)
    #expect(try algebra.qr(of: none).q.values.isEmpty)
    #expect(try algebra.product(none, none, transposingB: true) == Matrix(rows: 3, columns: 3))
  }

  @Test("a matrix of rank 1 and a zero matrix keep orthonormal vectors")
  func lowRank() throws {
    for scale: Float in [0, 1] {
      var values: [Float] = []
      for index in 0..<20 { values.append(Float(index / 5 + 1) * Float(index % 5 + 1) * scale) }
      let svd = try algebra.singularValues(of: Matrix(rows: 4, columns: 5, values: values))
      let gram = try algebra.product(svd.u, svd.u, transposingA: true)
      for row in 0..<4 {
        for column in 0..<4 { #expect(abs(gram[row, column] - (row == column ? 1 : 0)) < 1e-5) }
      }
      #expect(svd.s.dropFirst().allSatisfy { $0 < 1e-4 })
    }
  }

  @Test("many threads at once compute the same bits as one")
  func threads() throws {
    var values: [Float] = []
    for index in 0..<96 * 64 { values.append(Float((index * 7919) % 1000) / 500 - 1) }
    let matrix = Matrix<Float>(rows: 96, columns: 64, values: values)
    let expected = try algebra.singularValues(of: matrix)
    let product = try algebra.product(matrix, matrix, transposingB: true)
    try forEachIndex(below: 64, width: 8) { _ throws(Fault) in
      let svd = try algebra.singularValues(of: matrix)
      #expect(svd.s == expected.s && svd.u == expected.u && svd.v == expected.v)
      #expect(try algebra.product(matrix, matrix, transposingB: true) == product)
    }
  }
}
