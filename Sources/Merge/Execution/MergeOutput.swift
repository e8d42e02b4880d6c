import Glibc
public import Tensors

extension MergePlan {
  /// Checks, before anything is read, that the result can be written to `path`.
  ///
  /// - Throws: ``Rule/mergeOutputIsInput`` if it is one of the inputs under whatever name,
  ///   ``Rule/outputExists`` if it is there and `replacing` is false.
  public func checkOutput(_ path: String, replacing: Bool) throws(Fault) {
    guard unsafe access(path, F_OK) == 0 else { return }
    let existing = try? InputFile(path: path)
    let folder = realPath(path) + "/"
    for input in inputs {
      for file in input.source.files
      where existing.map(file.isSameFile) ?? realPath(file.path).hasPrefix(folder) {
        throw Fault(
          .mergeOutputIsInput, "is the input \(file.path)", path: path,
          hint: "give the output another name")
      }
    }
    try checkExisting(path, replacing: replacing)
  }

  private func checkExisting(_ path: String, replacing: Bool) throws(Fault) {
    guard !replacing else { return }
    throw Fault(
      .outputExists, "exists already", path: path,
      hint: "give another name, or --force to replace it")
  }
}

/// The path without links and dots, or as it is if that cannot be found out.
private func realPath(_ path: String) -> String {
  guard let real = unsafe realpath(path, nil) else { return path }
  defer { unsafe free(real) }
  return unsafe String(cString: real)
}
