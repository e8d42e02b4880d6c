public import Tensors

extension MergedSource {
  /// The positions of all tensors that hold a result too large for their type.
  ///
  /// Computes everything that can overflow, so that a second attempt cannot fail for the same
  /// reason.
  public func overflowingTensors(width: Int) throws(Fault) -> Set<Int> {
    let candidates = tensors.indices.filter { [.f16, .bf16].contains(tensors[$0].dtype) }
    let found = Results(repeating: false, count: candidates.count)
    try forEachIndex(
      below: candidates.count, width: width, local: { Buffer(byteCount: Self.pieceByteCount) }
    ) { (position, buffer: inout Buffer) throws(Fault) in
      let index = candidates[position]
      var offset = 0
      while offset < tensors[index].byteCount {
        let count = min(Self.pieceByteCount, tensors[index].byteCount - offset)
        var bytes = buffer.bytes(count)
        do throws(Fault) {
          try read(index, at: offset, into: &bytes)
        } catch {
          guard error.rule == .mergeOverflow else { throw error }
          found[position] = true
          return
        }
        offset += count
      }
    }
    return Set(zip(candidates, found.values).filter(\.1).map(\.0))
  }
}
