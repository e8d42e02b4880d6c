import CKernels
import Glibc

/// Copies all tensors of `source` to `sink`, and commits it.
///
/// Memory stays at one small buffer for each thread. Bytes that lie in a file as they are, and may
/// go to a file as they are, are copied by the operating system.
///
/// - Parameters:
///   - source: has the tensors of `sink`, in the same order; names may differ.
///   - sink: what to fill.
///   - width: the number of threads; the result is the same for every number.
///   - progress: called with the number of bytes copied since the last call, from any thread.
/// - Throws: what reading and writing throw, and ``Rule/fileChanged``; then nothing is committed.
public func copy(
  _ source: any TensorSource, to sink: any TensorSink, width: Int,
  progress: @Sendable (Int) -> Void = { _ in }
) throws(Fault) {
  try source.copy(to: sink, width: width, progress: progress)
}

extension TensorSource {
  fileprivate func copy(
    to sink: any TensorSink, width: Int, progress: @Sendable (Int) -> Void
  ) throws(Fault) {
    precondition(
      tensors.elementsEqual(sink.tensors) { $0.byteCount == $1.byteCount && $0.dtype == $1.dtype },
      "source and sink hold different tensors")
    let pieces = self.pieces(of: Array(tensors.indices))
    // What must be read from front to back comes first, the longest first, so that no thread is
    // left with it at the end; the rest follows in the order of the file.
    let order =
      pieces.indices.filter { pieces[$0].byteCount > Self.pieceByteCount }
      .sorted { (pieces[$1].byteCount, $0) < (pieces[$0].byteCount, $1) }
      + pieces.indices.filter { pieces[$0].byteCount <= Self.pieceByteCount }
    try forEachIndex(
      below: order.count, width: width, local: { Buffer(byteCount: Self.pieceByteCount) }
    ) { (index, buffer: inout Buffer) throws(Fault) in
      let piece = pieces[order[index]]
      if let extent = extent(of: piece.tensor),
        let target = sink.descriptorAndOffset(of: piece.tensor),
        extent.copy(piece, to: target)
      {
        progress(piece.byteCount)
        return
      }
      try read(piece, through: buffer) { (offset, bytes) throws(Fault) in
        try sink.write(piece.tensor, at: offset, bytes: bytes)
        progress(bytes.byteCount)
      }
    }
    try checkUnchanged()
    try sink.commit()
  }
}

extension FileExtent {
  /// Lets the operating system copy `piece`, where it can.
  ///
  /// - Returns: whether all of it was copied; if not, it has to be read and written, which also says
  ///   what is wrong.
  fileprivate func copy(
    _ piece: Piece, to target: (descriptor: Int32, offset: Int)
  ) -> Bool {
    var done = 0
    while done < piece.byteCount {
      let count = ck_copy_range(
        file.descriptor, Int64(offset + piece.offset + done), target.descriptor,
        Int64(target.offset + piece.offset + done), piece.byteCount - done)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      done += Int(count)
    }
    return true
  }
}
