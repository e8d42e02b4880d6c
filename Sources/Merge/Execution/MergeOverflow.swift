public import Tensors

extension MergedSource {
  /// The positions of all tensors that hold a result too large for their type.
  ///
  /// Computes everything that can overflow, so that a second attempt cannot fail for the same
  /// reason.
  public func overflowingTensors(width: Int) throws(Fault) -> Set<Int> {
    let candidates = tensors.indices.filter {
      tensors[$0].dtype == .f16 || tensors[$0].dtype == .bf16
    }
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

extension MergePlan {
  /// Checks that `path` is not one of the inputs under whatever name.
  ///
  /// - Throws: ``Rule/mergeOutputIsInput``.
  public func checkOutput(_ path: String) throws(Fault) {
    guard let existing = try? InputFile(path: path) else { return }
    for input in inputs {
      for file in input.source.files where file.isSameFile(as: existing) {
        throw Fault(
          .mergeOutputIsInput, "is the input \(file.path)", path: path,
          hint: "give the output another name")
      }
    }
  }
}
