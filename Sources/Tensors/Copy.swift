/// Copies every tensor of `source` into `sink` and completes it.
///
/// The sink holds the same tensors in the same order. Tensors whose bytes lie in a file as they are
/// go in pieces from several threads; others from front to back, one thread each.
///
/// - Parameters:
///   - source: where the values come from.
///   - sink: where they go.
///   - width: the number of threads.
///   - progress: called with the number of bytes copied since the last call, from any thread.
/// - Throws: what reading and writing throw; then the sink is not completed.
public func copy(
  _ source: any TensorSource, to sink: any TensorSink, width: Int,
  progress: @Sendable (Int) -> Void = { _ in }
) throws(Fault) {
  precondition(source.tensors == sink.tensors)
  let size = 4 << 20
  let pieces = source.tensors.enumerated().flatMap { index, tensor in
    let step = source.extent(of: index) == nil ? max(tensor.byteCount, 1) : size
    return stride(from: 0, to: tensor.byteCount, by: step).map { offset in
      Piece(tensor: index, offset: offset, byteCount: min(step, tensor.byteCount - offset))
    }
  }
  try forEachIndex(below: pieces.count, width: width, local: { Buffer(byteCount: size) }) {
    (position, buffer: inout Buffer) throws(Fault) in
    let piece = pieces[position]
    var done = 0
    while done < piece.byteCount {
      let count = min(size, piece.byteCount - done)
      var bytes = buffer.bytes(count)
      try source.read(piece.tensor, at: piece.offset + done, into: &bytes)
      try sink.write(piece.tensor, at: piece.offset + done, bytes: bytes.bytes)
      done += count
      progress(count)
    }
  }
  try source.checkUnchanged()
  try sink.commit()
}
