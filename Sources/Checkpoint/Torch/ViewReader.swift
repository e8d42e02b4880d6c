import Tensors

/// Reads the values of a view as contiguous little-endian bytes, in bounded memory.
struct ViewReader {
  let view: StridedView
  let storage: TorchStorage

  /// The most bytes of a storage that are held at once.
  private static let windowSize = 4 << 20

  /// Fills `output` with the bytes of the tensor from byte `offset`.
  func read(at offset: Int, into output: UnsafeMutableRawBufferPointer) throws(Fault) {
    guard unsafe !output.isEmpty else { return }
    if view.isContiguous, view.swapWidth == 1 {
      return try unsafe storage.read(at: view.offset + offset, into: output)
    }
    let size = view.itemSize
    // Parts of values at both ends go through a buffer of whole values.
    let end = offset + output.count
    let head = min(output.count, (size - offset % size) % size)
    let tail = end / size * size
    if head > 0 { try unsafe readPart(at: offset, into: output.prefix(head)) }
    guard offset + head < end else { return }
    if offset + head < tail {
      try unsafe readWhole(
        from: (offset + head) / size, to: tail / size,
        into: UnsafeMutableRawBufferPointer(rebasing: output[head..<tail - offset]))
    }
    if tail < end { try unsafe readPart(at: tail, into: output.suffix(end - tail)) }
  }

  private func readPart(
    at offset: Int, into output: Slice<UnsafeMutableRawBufferPointer>
  ) throws(Fault) {
    let first = offset / view.itemSize
    var value: UInt64 = 0
    try unsafe withUnsafeMutableBytes(of: &value) { bytes throws(Fault) in
      let whole = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[..<view.itemSize])
      try unsafe readWhole(from: first, to: first + 1, into: whole)
      let start = offset - first * view.itemSize
      unsafe UnsafeMutableRawBufferPointer(rebasing: output)
        .copyBytes(from: whole[start..<start + output.count])
    }
  }

  /// Fills `output` with the values `first..<end`.
  private func readWhole(
    from first: Int, to end: Int, into output: UnsafeMutableRawBufferPointer
  ) throws(Fault) {
    if view.isContiguous {
      try unsafe storage.read(at: view.offset + first * view.itemSize, into: output)
    } else {
      let scratch = Buffer(byteCount: Self.windowSize)
      for box in view.boxes(from: first, to: end) {
        var pending = [box]
        while let box = pending.popLast() {
          let span = box.span(view.strides)
          if (span + 1) * view.itemSize > Self.windowSize,
            let (near, far) = box.halved(view.strides)
          {
            pending.append(far)
            pending.append(near)
            continue
          }
          try unsafe gather(box, span: span, first: first, scratch, into: output)
        }
      }
    }
    unsafe swap(output)
  }

  /// Reads the part of the storage that `box` spans, and puts its values in their places.
  private func gather(
    _ box: ViewBox, span: Int, first: Int, _ scratch: Buffer,
    into output: UnsafeMutableRawBufferPointer
  ) throws(Fault) {
    let size = view.itemSize
    let start = zip(box.lower, view.strides).reduce(0) { $0 + $1.0 * $1.1 }
    var window = scratch.bytes((span + 1) * size)
    try unsafe window.withUnsafeMutableBytes { source throws(Fault) in
      try unsafe storage.read(at: view.offset + start * size, into: source)
      let inner = box.lower.count - 1
      let run = box.upper[inner] - box.lower[inner]
      let step = view.strides[inner]
      var index = box.lower
      while true {
        var from = 0
        var to = 0
        for axis in index.indices {
          from += (index[axis] - box.lower[axis]) * view.strides[axis]
          to = to * view.extents[axis] + index[axis]
        }
        let target = unsafe UnsafeMutableRawBufferPointer(
          rebasing: output[(to - first) * size..<(to - first + run) * size])
        let values = unsafe UnsafeRawBufferPointer(
          rebasing: source[from * size..<(from + (run - 1) * step + 1) * size])
        switch size {
        case 1: unsafe Self.copy(UInt8.self, values, step, target)
        case 2: unsafe Self.copy(UInt16.self, values, step, target)
        case 4: unsafe Self.copy(UInt32.self, values, step, target)
        default: unsafe Self.copy(UInt64.self, values, step, target)
        }
        // The next position of the outer axes.
        var axis = inner - 1
        while axis >= 0 {
          index[axis] += 1
          if index[axis] < box.upper[axis] { break }
          index[axis] = box.lower[axis]
          axis -= 1
        }
        if axis < 0 { return }
      }
    }
  }

  /// Copies values that lie `step` apart in `source` to lie one after another in `target`.
  @inline(__always)
  private static func copy<Value: BitwiseCopyable>(
    _ type: Value.Type, _ source: UnsafeRawBufferPointer, _ step: Int,
    _ target: UnsafeMutableRawBufferPointer
  ) {
    let size = MemoryLayout<Value>.size
    if step == 1 { return unsafe target.copyMemory(from: source) }
    for index in 0..<target.count / size {
      let value = unsafe source.loadUnaligned(fromByteOffset: index * step * size, as: type)
      unsafe target.storeBytes(of: value, toByteOffset: index * size, as: type)
    }
  }

  /// Turns big-endian values into little-endian ones.
  private func swap(_ output: UnsafeMutableRawBufferPointer) {
    switch view.swapWidth {
    case 2: unsafe Self.swap(UInt16.self, output)
    case 4: unsafe Self.swap(UInt32.self, output)
    case 8: unsafe Self.swap(UInt64.self, output)
    default: break
    }
  }

  @inline(__always)
  private static func swap<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type, _ output: UnsafeMutableRawBufferPointer
  ) {
    for offset in stride(from: 0, to: output.count, by: MemoryLayout<Value>.size) {
      let value = unsafe output.loadUnaligned(fromByteOffset: offset, as: type)
      unsafe output.storeBytes(of: value.byteSwapped, toByteOffset: offset, as: type)
    }
  }
}
