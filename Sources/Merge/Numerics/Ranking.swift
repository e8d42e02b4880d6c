/// Sorting and selecting values, in linear time and with a fixed order of equal values.
enum Ranking {
  /// A number that sorts as `value` does; both zeros are equal, and a NaN comes last.
  @inline(__always)
  static func key(_ value: Float) -> UInt32 {
    guard !value.isNaN else { return .max }
    let bits = (value + 0).bitPattern
    return bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits
  }

  /// The value that ``key(_:)`` made a key of.
  @inline(__always)
  static func value(_ key: UInt32) -> Float {
    Float(bitPattern: key >> 31 == 1 ? key & 0x7FFF_FFFF : ~key)
  }

  /// The positions of the `count` smallest to largest keys; of equal ones the earlier comes first.
  ///
  /// Takes 16 bytes for each value while it runs.
  static func order(_ count: Int, _ key: (Int) -> UInt32) -> [UInt32] {
    precondition(count <= Int(UInt32.max))
    var keys = (0..<count).map(key)
    var order = (0..<count).map { UInt32(truncatingIfNeeded: $0) }
    var otherKeys = [UInt32](repeating: 0, count: count)
    var otherOrder = otherKeys
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      var starts = [Int](repeating: 0, count: 256)
      for key in keys { starts[Int(key >> shift & 255)] += 1 }
      if starts.contains(count) { continue }
      var total = 0
      for digit in 0..<256 { (starts[digit], total) = (total, total + starts[digit]) }
      for i in 0..<count {
        let digit = Int(keys[i] >> shift & 255)
        otherKeys[starts[digit]] = keys[i]
        otherOrder[starts[digit]] = order[i]
        starts[digit] += 1
      }
      swap(&keys, &otherKeys)
      swap(&order, &otherOrder)
    }
    return order
  }

  /// The positions of `values` from the smallest to the largest.
  static func order(_ values: Span<Float>) -> [UInt32] {
    order(values.count) { key(values[$0]) }
  }

  /// The `rank`th smallest of `count` keys, counted from 0, and how many keys are smaller.
  static func select(
    _ rank: Int, of count: Int, _ key: (Int) -> UInt32
  ) -> (key: UInt32, below: Int) {
    precondition(rank >= 0 && rank < count)
    var upper = [Int](repeating: 0, count: 1 << 16)
    for i in 0..<count { upper[Int(key(i) >> 16)] += 1 }
    var below = 0
    var high = 0
    while below + upper[high] <= rank {
      below += upper[high]
      high += 1
    }
    var lower = [Int](repeating: 0, count: 1 << 16)
    for i in 0..<count where Int(key(i) >> 16) == high { lower[Int(key(i) & 0xFFFF)] += 1 }
    var low = 0
    while below + lower[low] <= rank {
      below += lower[low]
      low += 1
    }
    return (UInt32(high << 16 | low), below)
  }

  /// A number that sorts as the magnitude of `value` does; a NaN comes last.
  @inline(__always)
  static func magnitude(_ value: Float) -> UInt32 { value.bitPattern & 0x7FFF_FFFF }
}
