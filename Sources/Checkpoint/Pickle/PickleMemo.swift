/// The values that a pickle stores under numbers.
struct PickleMemo {
  /// Writers number from zero without gaps.
  private var dense: [PickleValue] = []
  private var sparse: [UInt32: PickleValue] = [:]

  /// The number that `MEMOIZE` gives the next value.
  var nextIndex: UInt32 { UInt32(truncatingIfNeeded: dense.count + sparse.count) }

  mutating func store(_ value: PickleValue, at index: UInt32) {
    if index < dense.count {
      dense[Int(index)] = value
    } else if index == dense.count {
      dense.append(value)
      if !sparse.isEmpty { sparse[index] = nil }
    } else {
      sparse[index] = value
    }
  }

  subscript(index: UInt32) -> PickleValue? {
    index < dense.count ? dense[Int(index)] : sparse[index]
  }
}
