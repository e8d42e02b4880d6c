/// Filters over the axes of a tensor, as SciPy's `ndimage` defines them.
///
/// Beyond an edge the values continue as in a mirror that lies on the edge (`reflect`). Axes of
/// extent 1 change nothing and are left out; of more than four others, only the last four count.
struct Smoothing {
  private let shape: [Int]
  private let strides: [Int]
  private let count: Int

  /// A filter for `count` values of the given shape.
  init(shape: [Int], count: Int) {
    let axes = shape.indices.filter { shape[$0] > 1 }.suffix(4)
    self.shape = axes.map { shape[$0] }
    strides = axes.map { axis in shape[(axis + 1)...].reduce(1, *) }
    self.count = count
  }

  /// The median of the values at a distance of at most 1 along each axis: 3, 9, 27 or 81 of them.
  func median(_ values: [Float]) -> [Float] {
    precondition(values.count == count)
    guard !shape.isEmpty else { return values }
    var result = [Float](repeating: 0, count: count)
    var place = [Int](repeating: 0, count: shape.count)
    var neighbours = [Int]()
    var window = [UInt32]()
    for index in 0..<count {
      neighbours.removeAll(keepingCapacity: true)
      neighbours.append(index)
      for axis in shape.indices {
        let below = place[axis] == 0 ? 0 : -strides[axis]
        let above = place[axis] == shape[axis] - 1 ? 0 : strides[axis]
        for i in 0..<neighbours.count {
          let neighbour = neighbours[i]
          neighbours.append(neighbour + below)
          neighbours.append(neighbour + above)
        }
      }
      window.removeAll(keepingCapacity: true)
      for neighbour in neighbours { window.append(Ranking.key(values[neighbour])) }
      result[index] = Ranking.value(Self.middle(&window))
      advance(&place, index)
    }
    return result
  }

  /// The values weighted with a normal distribution of width 1, cut off at a distance of 4.
  func gaussian(_ values: [Float]) -> [Float] {
    precondition(values.count == count)
    let radius = 4
    let bell = (-radius...radius).map {
      Elementary.exp2(Double($0 * $0) * -0.5 * 1.442_695_040_888_963_4)
    }
    let total = bell.reduce(0, +)
    let weights = bell.map { $0 / total }
    var current = values
    var next = [Float](repeating: 0, count: count)
    for (extent, stride) in zip(shape, strides) {
      for index in 0..<count {
        let place = index / stride % extent
        let start = index - place * stride
        var sum = 0.0
        for offset in -radius...radius {
          let mirrored = Self.mirrored(place + offset, extent)
          sum += weights[offset + radius] * Double(current[start + mirrored * stride])
        }
        next[index] = Float(sum)
      }
      swap(&current, &next)
    }
    return current
  }

  /// Moves on to the place after the one of value `index`.
  private func advance(_ place: inout [Int], _ index: Int) {
    for axis in shape.indices.reversed() {
      guard (index + 1) % strides[axis] == 0 else { return }
      place[axis] += 1
      guard place[axis] == shape[axis] else { return }
      place[axis] = 0
    }
  }

  /// The place that stands for one outside 0..<extent.
  private static func mirrored(_ place: Int, _ extent: Int) -> Int {
    if place >= 0 && place < extent { return place }
    let period = 2 * extent
    let folded = ((place % period) + period) % period
    return folded < extent ? folded : period - 1 - folded
  }

  /// The middle one of an odd number of keys, which are reordered.
  private static func middle(_ keys: inout [UInt32]) -> UInt32 {
    let target = keys.count / 2
    var (low, high) = (0, keys.count - 1)
    while low < high {
      let pivot = keys[low + (high - low) / 2]
      var (i, j) = (low, high)
      while i <= j {
        while keys[i] < pivot { i += 1 }
        while keys[j] > pivot { j -= 1 }
        if i <= j {
          keys.swapAt(i, j)
          i += 1
          j -= 1
        }
      }
      if target <= j { high = j } else if target >= i { low = i } else { break }
    }
    return keys[target]
  }
}
