/// Part of a tensor's bytes.
package struct Piece: Sendable {
  /// The tensor's position in ``TensorSource/tensors``.
  package let tensor: Int
  /// The first byte, in the tensor's contiguous form.
  package let offset: Int
  /// The number of bytes.
  package let byteCount: Int
}

extension TensorSource {
  /// The most bytes handled at once: small enough to stay in the second cache, and a multiple of
  /// every value's size.
  package static var pieceByteCount: Int { 1 << 18 }

  /// The given tensors, cut into parts that different threads can read at good speed: pieces of
  /// ``pieceByteCount`` where the bytes lie in a file as they are, else whole tensors.
  package func pieces(of tensors: [Int]) -> [Piece] {
    var pieces: [Piece] = []
    for tensor in tensors {
      let total = self.tensors[tensor].byteCount
      let step = extent(of: tensor) == nil ? max(1, total) : Self.pieceByteCount
      for offset in stride(from: 0, to: total, by: step) {
        pieces.append(
          Piece(tensor: tensor, offset: offset, byteCount: min(step, total - offset)))
      }
    }
    return pieces
  }

  /// Reads `piece` from front to back through `buffer`, which has room for ``pieceByteCount``.
  package func read(
    _ piece: Piece, through buffer: Buffer,
    _ body: (_ offset: Int, _ bytes: RawSpan) throws(Fault) -> Void
  ) throws(Fault) {
    var done = 0
    while done < piece.byteCount {
      let count = min(Self.pieceByteCount, piece.byteCount - done)
      var bytes = buffer.bytes(count)
      try read(piece.tensor, at: piece.offset + done, into: &bytes)
      try body(piece.offset + done, bytes.bytes)
      done += count
    }
  }

  /// Reads tensor `index` from front to back through `buffer`, which has room for
  /// ``pieceByteCount``.
  package func read(
    whole index: Int, through buffer: Buffer,
    _ body: (_ offset: Int, _ bytes: RawSpan) throws(Fault) -> Void
  ) throws(Fault) {
    let piece = Piece(tensor: index, offset: 0, byteCount: tensors[index].byteCount)
    try read(piece, through: buffer, body)
  }

  /// Reads every byte once and examines the values of every tensor.
  ///
  /// - Returns: the statistics of ``tensors``, in their order; the same for every `width`.
  public func statistics(width: Int) throws(Fault) -> [TensorStatistics] {
    try statistics(of: Array(tensors.indices), width: width)
  }

  /// Reads the tensors at the positions `selection` and examines their values.
  ///
  /// - Parameters:
  ///   - selection: the positions in ``tensors``.
  ///   - width: the number of threads.
  ///   - withMoments: whether means and deviations are wanted; without them it takes half the time.
  /// - Returns: their statistics, in the order of `selection`; the same for every `width`.
  /// - Throws: what reading throws.
  public func statistics(
    of selection: [Int], width: Int, withMoments: Bool = true
  ) throws(Fault) -> [TensorStatistics] {
    let pieces = self.pieces(of: selection)
    let found = Results(repeating: TensorStatistics(), count: pieces.count)
    try forEachIndex(
      below: pieces.count, width: width, local: { Buffer(byteCount: Self.pieceByteCount) }
    ) { (index, buffer: inout Buffer) throws(Fault) in
      let dtype = tensors[pieces[index].tensor].dtype
      var statistics = TensorStatistics()
      try read(pieces[index], through: buffer) { _, bytes in
        statistics.add(bytes, dtype: dtype, withMoments: withMoments)
      }
      found[index] = statistics
    }
    var totals = [Int: TensorStatistics]()
    for (piece, statistics) in zip(pieces, found.values) {
      totals[piece.tensor, default: TensorStatistics()].append(statistics)
    }
    return selection.map { totals[$0] ?? TensorStatistics() }
  }
}
