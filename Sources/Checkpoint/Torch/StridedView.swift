import Tensors

/// Which values of a storage a tensor consists of, and in which order.
struct StridedView: Sendable {
  /// The position of the storage in ``TorchContents``.
  let storage: Int
  /// The bytes of one value.
  let itemSize: Int
  /// The bytes to reverse together, if the storage is big-endian; else 1.
  let swapWidth: Int
  /// The first value, in bytes from the start of the storage.
  let offset: Int
  /// The shape, after axes that lie as one have been joined; empty for a single value.
  let extents: [Int]
  /// For each of ``extents`` the distance to the next value, in values.
  let strides: [Int]
  /// The number of values.
  let count: Int

  /// A view whose axes are simplified.
  ///
  /// - Returns: `nil` if it reaches outside the `byteCount` bytes of its storage.
  init?(
    storage: Int, byteCount: Int, start: Int, dtype: DType, offset: Int, shape: [Int],
    strides: [Int], count: Int, isSwapped: Bool
  ) {
    let itemSize = dtype.bitCount / 8
    self.storage = storage
    self.itemSize = itemSize
    self.count = count
    swapWidth = isSwapped ? (dtype == .c64 ? 4 : itemSize) : 1
    guard count > 0 else {
      self.offset = 0
      extents = []
      self.strides = []
      return
    }
    var last = offset
    for (extent, stride) in zip(shape, strides) {
      let (distance, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (sum, sumOverflow) = last.addingReportingOverflow(distance)
      guard !overflow, !sumOverflow else { return nil }
      last = sum
    }
    let (room, overflow) = byteCount.subtractingReportingOverflow(start)
    guard !overflow, room >= 0, last < room / itemSize else { return nil }
    self.offset = start + offset * itemSize
    var extents: [Int] = []
    var joined: [Int] = []
    for (extent, stride) in zip(shape, strides) where extent != 1 {
      if let previous = joined.last, let outer = extents.last,
        case let (product, overflow) = extent.multipliedReportingOverflow(by: stride), !overflow,
        previous == product
      {
        extents[extents.count - 1] = outer * extent
        joined[joined.count - 1] = stride
      } else {
        extents.append(extent)
        joined.append(stride)
      }
    }
    self.extents = extents
    self.strides = joined
  }

  /// Whether the values lie one after another in the order of the tensor.
  var isContiguous: Bool { extents.isEmpty || (extents.count == 1 && strides[0] == 1) }

  /// The bytes between the start of the first and the end of the last value in the storage.
  var range: Range<Int> {
    guard count > 0 else { return offset..<offset }
    let last = zip(extents, strides).reduce(0) { $0 + ($1.0 - 1) * $1.1 }
    return offset..<(offset + (last + 1) * itemSize)
  }

}

/// A rectangular part of a view: a range along each of its axes.
struct ViewBox {
  var lower: [Int]
  var upper: [Int]

  /// The distance in values from the first to the last value.
  func span(_ strides: [Int]) -> Int {
    lower.indices.reduce(0) { $0 + (upper[$1] - lower[$1] - 1) * strides[$1] }
  }

  /// Halves the box across the axis that spans most of the storage; the part nearer to the start
  /// of the storage comes first.
  func halved(_ strides: [Int]) -> (ViewBox, ViewBox)? {
    let axis = lower.indices.max {
      (upper[$0] - lower[$0] - 1) * strides[$0] < (upper[$1] - lower[$1] - 1) * strides[$1]
    }
    guard let axis, upper[axis] - lower[axis] > 1 else { return nil }
    var (first, second) = (self, self)
    let middle = lower[axis] + (upper[axis] - lower[axis]) / 2
    first.upper[axis] = middle
    second.lower[axis] = middle
    return (first, second)
  }
}

extension StridedView {
  /// The boxes that together are the values `first..<end` in the order of the tensor.
  ///
  /// There are at most two for each axis, and one more.
  func boxes(from first: Int, to end: Int) -> [ViewBox] {
    // blocks[axis]: the number of values below one position of that axis.
    var blocks = [Int](repeating: 1, count: extents.count)
    for axis in extents.indices.dropLast().reversed() {
      blocks[axis] = blocks[axis + 1] * extents[axis + 1]
    }
    var boxes: [ViewBox] = []
    var position = first
    while position < end {
      let axis =
        extents.indices.first { position % blocks[$0] == 0 && position + blocks[$0] <= end } ?? 0
      let index = position / blocks[axis] % extents[axis]
      let steps = min(extents[axis] - index, (end - position) / blocks[axis])
      var box = ViewBox(lower: Array(repeating: 0, count: extents.count), upper: extents)
      for outer in 0..<axis {
        box.lower[outer] = position / blocks[outer] % extents[outer]
        box.upper[outer] = box.lower[outer] + 1
      }
      box.lower[axis] = index
      box.upper[axis] = index + steps
      boxes.append(box)
      position += steps * blocks[axis]
    }
    return boxes
  }
}
