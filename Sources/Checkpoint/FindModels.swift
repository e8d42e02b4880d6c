import Glibc
import Tensors

/// The models that the user meant with `paths`, in order and without repetition.
///
/// A file is taken as it is. A folder that is a model is one; any other folder stands for the
/// models in it and in the folders below it, links to folders not followed: model folders, and files
/// whose suffix is one that models have.
///
///     findModels(in: ["models"])   // ["models/a.safetensors", "models/sub/b.ckpt"]
///
/// - Parameter paths: files and folders, as the user named them.
/// - Returns: the path of each model. A path that does not exist is among them: opening it says so.
public func findModels(in paths: [String]) -> [String] {
  var found: [String] = []
  var seen = Set<TensorName>()
  func add(_ path: String) {
    if seen.insert(TensorName(plain(path))).inserted { found.append(path) }
  }
  for path in paths {
    guard isFolder(path), !isModelFolder(path: path) else {
      add(path)
      continue
    }
    // Depth first, in the order of names; the stack holds what is still to be visited, last first.
    var pending = [path]
    while let next = pending.popLast() {
      guard isFolder(next) else {
        add(next)
        continue
      }
      if next != path, isModelFolder(path: next) {
        add(next)
        continue
      }
      let base = next.hasSuffix("/") ? next : next + "/"
      for name in folderEntries(of: next).reversed() where !name.hasPrefix(".") {
        let entry = base + name
        if isFolder(entry, followingLinks: false) || hasModelSuffix(name) && !isFolder(entry) {
          pending.append(entry)
        }
      }
    }
  }
  return found
}

/// `path` from the root on, without `.` and repeated slashes: the same for `a`, `./a` and `$PWD/a`.
///
/// Links are not followed, as two names of one file are two models to whoever lists them.
private func plain(_ path: String) -> String {
  var whole = path
  if !path.hasPrefix("/"), let current = unsafe getcwd(nil, 0) {
    whole = unsafe String(cString: current) + "/" + path
    unsafe free(current)
  }
  return whole.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
}

private func hasModelSuffix(_ name: String) -> Bool {
  let name = name.lowercased()
  return [".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".sft"].contains { name.hasSuffix($0) }
}

private func isFolder(_ path: String, followingLinks: Bool = true) -> Bool {
  var status = stat()
  let result = followingLinks ? unsafe stat(path, &status) : unsafe lstat(path, &status)
  return result == 0 && status.st_mode & S_IFMT == S_IFDIR
}
