import Tensors

// How strongly the product of a module counts.
extension ModuleAssembly {
  /// α/r, or what stands in its place.
  func scale(of adapter: Adapter, _ settings: AdapterSettings) throws(Fault) -> AdapterScale {
    let rank = rank(of: adapter) ?? settings.rank(of: target, adapter)
    let alpha = try group.members[.alpha].map { index throws(Fault) in
      try number(index, "alpha")
    }
    if let index = group.members[.scale] {
      return AdapterScale(
        value: try number(index, "scale"), origin: .scale, alpha: alpha, rank: rank)
    }
    guard let rank, rank > 0 else {
      return AdapterScale(value: 1, origin: .none, alpha: alpha, rank: nil)
    }
    if let alpha {
      return AdapterScale(value: alpha / Double(rank), origin: .alpha, alpha: alpha, rank: rank)
    }
    guard let alpha = try settings.alpha(of: target, at: group.stem) else {
      return AdapterScale(value: 1, origin: .missing, alpha: nil, rank: rank)
    }
    let divisor = settings.isRankStabilized(target) ? Double(rank).squareRoot() : Double(rank)
    return AdapterScale(value: alpha / divisor, origin: .settings, alpha: alpha, rank: rank)
  }

  /// The inner extent that α is divided by; `nil` where the algebra has none.
  private func rank(of adapter: Adapter) -> Int? {
    switch adapter {
    case .lowRank(_, let down, _): return down.rows
    case .hadamard(let first, _): return first.b.rows
    case .kronecker(let left, let right):
      // LyCORIS takes the rank of the right side where that is factored.
      switch (left, right) {
      case (_, .tucker(let core, _, _)): return core.rows
      case (_, .product(_, let b)): return b.rows
      case (.tucker(let core, _, _), _): return core.rows
      case (.product(_, let b), _): return b.rows
      case (.whole, .whole): return nil
      }
    case .generalized(_, let a2, _, _): return a2.rows
    case .oldGeneralized(let a1, _, _, _): return a1.rows
    case .scaling, .ratio, .full, .norm, .replacement, .biasOnly, .orthogonal, .inputRotation:
      return nil
    }
  }
}
