import Tensors

extension PickleMachine {
  /// Runs the pickle of a record that holds nothing else: `data.pkl` of zip checkpoints, in the
  /// archive or unpacked.
  ///
  /// - Parameters:
  ///   - byteCount: the size of the record.
  ///   - base: where the record begins in its file, for messages.
  ///   - read: the bytes of the record; called only if they are not too many.
  /// - Returns: the values of the pickle.
  /// - Throws: ``Rule/pickleLimit``, ``Rule/pickleTrailing``, and what ``run()`` throws.
  static func graph(
    ofRecord byteCount: Int, base: Int = 0, _ read: () throws(Fault) -> [UInt8]
  ) throws(Fault) -> PickleGraph {
    guard byteCount <= maximumByteCount else {
      throw Fault(
        .pickleLimit, "has a pickle that is larger than any model's", offset: base,
        expected: "at most \(maximumByteCount) bytes", found: "\(byteCount)")
    }
    var machine = PickleMachine(bytes: try read(), base: base)
    try machine.run()
    guard machine.position == byteCount else {
      throw Fault(
        .pickleTrailing, "has \(byteCount - machine.position) bytes after its pickle",
        offset: machine.graph.base + machine.position,
        hint: "a second pickle may hide there; do not unpickle it")
    }
    return machine.graph
  }
}
