/// A range of places, wrapped around the end: what is inside comes from one model.
struct Region {
  /// The first and the last place but one.
  let start: Int, end: Int
  /// Whether the places outside are meant.
  let isInverted: Bool

  /// The range of `width` beginning at `offset`, both as a part of `count`.
  ///
  /// A negative width extends backwards, an offset is taken modulo 1, and bounds are rounded to
  /// the nearest place, halves to the even one. Source: `ratio_to_region` of sd-meh and sd-mecha.
  init(width: Double, offset: Double, of count: Int) {
    var (width, offset) = (width, offset)
    if width < 0 {
      offset += width
      width = -width
    }
    width = min(width, 1)
    if offset < 0 { offset = 1 + offset - offset.rounded(.towardZero) }
    offset = offset.truncatingRemainder(dividingBy: 1)
    let n = Double(count)
    func place(_ x: Double) -> Int { Int((x * n).rounded(.toNearestOrEven)) }
    isInverted = width + offset > 1
    start = place(isInverted ? width + offset - 1 : offset)
    end = place(isInverted ? offset : width + offset)
  }

  /// The range whose bounds are rounded down, for a width and an offset in 0…1.
  ///
  /// Source: "tensor" of SuperMerger, `tensor_sum` of sd-meh.
  init(truncatingWidth width: Double, offset: Double, of count: Int) {
    let n = Double(count)
    isInverted = width + offset > 1
    start = Int(n * (isInverted ? width + offset - 1 : offset))
    end = Int(n * (isInverted ? offset : width + offset))
  }

  /// Whether a place is meant.
  @inline(__always)
  func contains(_ place: Int) -> Bool { (place >= start && place < end) != isInverted }
}

extension MergedTensor {
  /// The number of values that lie between one place and the next along an axis.
  func stride(ofAxis axis: Int) -> Int { shape.dropFirst(axis + 1).reduce(1, *) }
}

extension Region {
  /// Writes B where the place along an axis is meant, and A elsewhere.
  func choose(
    _ operands: Operands, _ tensor: MergedTensor, axis: Int, into output: inout MutableSpan<Float>
  ) {
    let (a, b) = (operands[0], operands[1])
    precondition(a.count == output.count && b.count == output.count)
    // A dimension of zero leaves nothing to write.
    let stride = max(1, tensor.stride(ofAxis: axis))
    let extent = max(1, tensor.shape[axis])
    var place = (tensor.first / stride) % extent
    var left = stride - tensor.first % stride
    var isInside = contains(place)
    for i in output.indices {
      output[i] = isInside ? b[i] : a[i]
      left -= 1
      if left == 0 {
        left = stride
        place = place + 1 == extent ? 0 : place + 1
        isInside = contains(place)
      }
    }
  }
}
