import Checkpoint
public import Tensors

extension ConversionPlan {
  /// Checks everything about an output that can be known before it is begun.
  ///
  /// - Parameters:
  ///   - path: the file or folder to make.
  ///   - replacing: whether an existing one is replaced.
  /// - Throws: ``Rule/outputIsInput``, ``Rule/outputExists``, ``Rule/fileOperation`` when its folder
  ///   is not there or cannot be written to, ``Rule/diskFull``.
  public func checkOutput(_ path: String, replacing: Bool) throws(Fault) {
    try Tensors.checkOutput(
      path, inputs: source.files, byteCount: outputByteCount, replacing: replacing)
  }
}
