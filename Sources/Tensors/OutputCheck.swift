import Glibc

/// Checks everything about an output that can be known before it is begun.
///
/// - Parameters:
///   - path: the file or folder to make.
///   - inputs: the files that are read.
///   - byteCount: how long it will be.
///   - replacing: whether an existing one is replaced.
/// - Throws: ``Rule/outputIsInput``, ``Rule/outputExists``, ``Rule/fileOperation`` when its folder
///   is not there or cannot be written to, ``Rule/diskFull``.
package func checkOutput(
  _ path: String, inputs: [InputFile], byteCount: Int, replacing: Bool
) throws(Fault) {
  var status = stat()
  if unsafe stat(path, &status) == 0 {
    try check(path, status, isNoneOf: inputs.map(\.path))
    guard replacing else {
      throw Fault(
        .outputExists, "exists already", path: path,
        hint: "give another name, or --force to replace it")
    }
  }
  let bare = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  let slash = bare.lastIndex(of: "/")
  let folder = slash.map { $0 == bare.startIndex ? "/" : String(bare[..<$0]) } ?? "."
  guard unsafe access(folder, W_OK | X_OK) == 0 else { throw .refused("write to", folder) }
  try OutputFile.checkRoom(for: byteCount, in: folder)
}

/// Checks that writing to an output cannot touch what is read.
///
/// - Parameters:
///   - path: the file or folder to make.
///   - inputs: the paths of what is read.
/// - Throws: ``Rule/outputIsInput``.
package func checkOutput(_ path: String, isNoneOf inputs: [String]) throws(Fault) {
  var status = stat()
  if unsafe stat(path, &status) == 0 { try check(path, status, isNoneOf: inputs) }
}

private func check(
  _ path: String, _ output: stat, isNoneOf inputs: [String]
) throws(Fault) {
  let isFolder = output.st_mode & S_IFMT == S_IFDIR
  let target = isFolder ? realPath(path) : nil
  for input in inputs {
    var status = stat()
    guard unsafe stat(input, &status) == 0 else { continue }
    let isSame = status.st_dev == output.st_dev && status.st_ino == output.st_ino
    let isInside =
      target.map { target in realPath(input)?.hasPrefix(target + "/") ?? false } ?? false
    guard isSame || isInside else { continue }
    throw Fault(
      .outputIsInput,
      isInside ? "holds the input '\(input)'" : "is the input '\(input)'", path: path,
      hint: "give another name")
  }
}

/// The path without links and dots.
private func realPath(_ path: String) -> String? {
  guard let resolved = unsafe realpath(path, nil) else { return nil }
  defer { unsafe free(resolved) }
  return unsafe String(cString: resolved)
}
