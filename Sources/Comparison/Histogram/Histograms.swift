public import Tensors

extension TensorSource {
  /// Reads tensors once and counts their values.
  ///
  /// - Parameters:
  ///   - selection: the positions in ``tensors``; those with types that cannot be looked at (F4, F6)
  ///     get an empty histogram.
  ///   - width: the number of threads.
  ///   - progress: called with the number of bytes read since the last call, from any thread.
  /// - Returns: one histogram for each, in their order; the same for every `width`.
  /// - Throws: what reading throws, and ``Tensors/Rule/fileChanged``.
  public func histograms(
    of selection: [Int], width: Int, progress: @Sendable (Int) -> Void = { _ in }
  ) throws(Fault) -> [WeightHistogram] {
    // Tensor by tensor, the largest first: a table for every piece would take more memory than it
    // saves time.
    let order = selection.indices.sorted { a, b in
      (tensors[selection[b]].byteCount, a) < (tensors[selection[a]].byteCount, b)
    }
    let found = Results(repeating: WeightHistogram(), count: selection.count)
    try forEachIndex(
      below: order.count, width: width, local: { Buffer(byteCount: Self.pieceByteCount) }
    ) { (index, buffer: inout Buffer) throws(Fault) in
      let tensor = selection[order[index]]
      let dtype = tensors[tensor].dtype
      let tables = [UInt32](repeating: 0, count: 4 * WeightHistogram.binCount)
      var counts = [Int](repeating: 0, count: WeightHistogram.binCount)
      var piece = tables
      var isKnown = true
      var pending = 0
      func flush() {
        for (index, count) in piece.enumerated() where count > 0 {
          counts[index % WeightHistogram.binCount] += Int(count)
        }
        piece = tables
        pending = 0
      }
      try read(whole: tensor, through: buffer) { _, bytes in
        guard isKnown else { return }
        // Before a counter of 32 bits can overflow.
        if pending > 1 << 30 { flush() }
        isKnown = dtype.countBits(bytes, into: &piece)
        pending += bytes.byteCount
        progress(bytes.byteCount)
      }
      flush()
      found[order[index]] = WeightHistogram(counts: counts)
    }
    try checkUnchanged()
    return found.values
  }
}
