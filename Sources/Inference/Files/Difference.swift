/// How far an array is from what it should be.
///
///     let difference = Difference(of: noise, from: golden)
///     difference.largest / difference.deviation   // 3e-6
public struct Difference: Sendable {
  /// The largest difference of two values; infinite where only one of them is finite.
  public let largest: Double
  /// The standard deviation of what it should be.
  public let deviation: Double
  /// The length of the difference over that of what it should be.
  public let relative: Double
  /// Where the largest difference is, along each axis.
  public let position: [Int]

  /// Compares two arrays of the same shape.
  public init(of found: FloatArray, from expected: FloatArray) {
    precondition(found.shape == expected.shape, "arrays of different shapes")
    var largest = 0.0, index = 0
    var sum = 0.0, squares = 0.0, lengths = 0.0
    let count = Double(max(1, expected.values.count))
    for value in expected.values where value.isFinite { sum += Double(value) }
    let mean = sum / count
    for (i, (a, b)) in zip(found.values, expected.values).enumerated() {
      let same = a == b || (a.isNaN && b.isNaN)
      var distance = same ? 0 : abs(Double(a) - Double(b))
      if distance.isNaN { distance = .infinity }
      if distance > largest { (largest, index) = (distance, i) }
      squares += distance * distance
      if b.isFinite {
        lengths += Double(b) * Double(b)
      }
    }
    var variance = 0.0
    for value in expected.values where value.isFinite {
      variance += (Double(value) - mean) * (Double(value) - mean)
    }
    self.largest = largest
    deviation = (variance / count).squareRoot()
    relative = squares == 0 ? 0 : (squares / lengths).squareRoot()
    position =
      expected.shape.reversed().reduce(into: (index, [])) { state, extent in
        state.1.insert(state.0 % max(1, extent), at: 0)
        state.0 /= max(1, extent)
      }.1
  }

  /// The largest difference in units of the standard deviation.
  public var inDeviations: Double { largest == 0 ? 0 : largest / deviation }
}
