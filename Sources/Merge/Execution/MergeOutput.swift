public import Tensors

extension RecipePlan {
  /// Checks everything about an output that can be known before it is begun.
  ///
  /// - Parameters:
  ///   - path: the file or folder to make.
  ///   - replacing: whether an existing one is replaced.
  /// - Throws: ``Rule/outputIsInput``, ``Rule/outputExists``, ``Rule/fileOperation`` when its folder
  ///   is not there or cannot be written to, ``Rule/diskFull``.
  public func checkOutput(_ path: String, replacing: Bool) throws(Fault) {
    try Tensors.checkOutput(
      path, inputs: steps.flatMap(\.plan.inputs).flatMap(\.source.files),
      byteCount: plan.bytesToWrite, replacing: replacing)
  }
}
