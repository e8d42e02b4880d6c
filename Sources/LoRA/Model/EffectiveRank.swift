import LinearAlgebra
public import Tensors

/// How much of its rank a LoRA uses: from the singular values of each product of factors, which
/// follow from the factors alone.
public struct EffectiveRank: Sendable {
  /// The modules that are plain products.
  public let moduleCount: Int
  /// The mean number of singular values that hold 99 % of the change's energy.
  public let mean: Double
  /// The most that any module needs.
  public let maximum: Int
  /// The mean rank that the file gives them.
  public let givenMean: Double

  /// The share of ‖ΔW‖² that counts.
  public static let energy = 0.99

  /// Computes singular values of every plain product; `nil` if there is none.
  ///
  /// - Throws: what reading throws; if OpenBLAS cannot be loaded.
  public init?(_ file: LoRAFile, width: Int) throws(Fault) {
    let pairs = file.modules.compactMap { module -> (up: Factor, down: Factor)? in
      // Of what changes nothing there is nothing to tell.
      guard case .lowRank(let up, let down, nil) = module.adapter, up.columns <= up.rows,
        down.rows <= down.columns, module.scale.value != 0
      else { return nil }
      return (up, down)
    }
    guard !pairs.isEmpty else { return nil }
    let algebra = try LinearAlgebra.load()
    let found = Results(repeating: Int?.none, count: pairs.count)
    try forEachIndex(below: pairs.count, width: width) { (index) throws(Fault) in
      let (up, down) = pairs[index]
      let upper = try file.values(of: up), lower = try file.values(of: down)
      // A module with NaN has no rank; that it has is said elsewhere.
      guard upper.allSatisfy(\.isFinite), lower.allSatisfy(\.isFinite) else { return }
      let a = Matrix<Float>(rows: up.rows, columns: up.columns, values: upper).doubles
      let b = Matrix<Float>(rows: down.rows, columns: down.columns, values: lower).doubles
      let core = try algebra.product(algebra.qr(of: a).r, algebra.lq(of: b).l)
      let squares = try algebra.singularValues(of: core).s.map { $0 * $0 }
      let wanted = squares.reduce(0, +) * Self.energy
      var sum = 0.0, count = 0
      while count < squares.count, sum < wanted {
        sum += squares[count]
        count += 1
      }
      found[index] = count
    }
    let known = zip(pairs, found.values).compactMap { pair, count in
      count.map { (given: pair.down.rows, count: $0) }
    }
    guard !known.isEmpty else { return nil }
    moduleCount = known.count
    mean = Double(known.reduce(0) { $0 + $1.count }) / Double(known.count)
    maximum = known.lazy.map(\.count).max() ?? 0
    givenMean = Double(known.reduce(0) { $0 + $1.given }) / Double(known.count)
  }
}
