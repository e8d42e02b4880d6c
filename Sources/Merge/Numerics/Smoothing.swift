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
  ///
  /// Along the longest axis the neighbours of each place are sorted once and serve three medians.
  func median(_ values: [Float]) -> [Float] {
    precondition(values.count == count)
    guard count > 0, let long = shape.indices.max(by: { shape[$0] < shape[$1] }) else {
      return values
    }
    let keys = values.map(Ranking.key)
    let (extent, stride) = (shape[long], strides[long])
    var result = values
    for start in 0..<count where start / stride % extent == 0 {
      let neighbours = neighbours(of: start, without: long)
      func sorted(_ place: Int) -> [UInt32] {
        var slab = [UInt32]()
        slab.reserveCapacity(27)
        for neighbour in neighbours {
          let key = keys[neighbour + place * stride]
          slab.append(key)
          var i = slab.count - 1
          while i > 0, slab[i - 1] > key {
            slab[i] = slab[i - 1]
            i -= 1
          }
          slab[i] = key
        }
        return slab
      }
      var here = sorted(0)
      var before = here
      for place in 0..<extent {
        let after = place + 1 < extent ? sorted(place + 1) : here
        result[start + place * stride] = Ranking.value(Self.middle(before, here, after))
        (before, here) = (here, after)
      }
    }
    return result
  }

  /// The places at a distance of at most 1 from `index` along every axis but one.
  private func neighbours(of index: Int, without long: Int) -> [Int] {
    var neighbours = [index]
    for axis in shape.indices where axis != long {
      let place = index / strides[axis] % shape[axis]
      let below = place == 0 ? 0 : -strides[axis]
      let above = place == shape[axis] - 1 ? 0 : strides[axis]
      neighbours += neighbours.flatMap { [$0 + below, $0 + above] }
    }
    return neighbours
  }

  /// The middle one of three sorted lists of the same odd length.
  private static func middle(_ a: [UInt32], _ b: [UInt32], _ c: [UInt32]) -> UInt32 {
    var (i, j, k) = (0, 0, 0)
    var latest: UInt32 = 0
    let end = a.count
    for _ in 0...(3 * end / 2) {
      let x = i < end ? a[i] : .max
      let y = j < end ? b[j] : .max
      let z = k < end ? c[k] : .max
      if x <= y && x <= z && i < end {
        latest = x
        i += 1
      } else if y <= z && j < end {
        latest = y
        j += 1
      } else {
        latest = z
        k += 1
      }
    }
    return latest
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

  /// The place that stands for one outside 0..<extent.
  private static func mirrored(_ place: Int, _ extent: Int) -> Int {
    if place >= 0 && place < extent { return place }
    let period = 2 * extent
    let folded = ((place % period) + period) % period
    return folded < extent ? folded : period - 1 - folded
  }
}
