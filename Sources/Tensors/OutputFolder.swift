import Glibc
import Synchronization

/// A folder under construction, that appears under its name complete or not at all.
///
/// It is built as a sibling `.NAME.RANDOM.partial` and renamed by ``commit()``; a folder that it
/// replaces is removed only after that.
public final class OutputFolder: Sendable {
  /// The final name.
  public let path: String
  /// Where it is being built.
  public let temporaryPath: String

  private let replacesExisting: Bool
  private let isCommitted = Mutex(false)

  /// Begins a folder that will be called `path`.
  ///
  /// - Throws: ``Rule/outputExists`` when the name is taken and `replacing` is false.
  public init(path: String, replacing: Bool = false) throws(Fault) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    replacesExisting = replacing
    var status = stat()
    if unsafe lstat(self.path, &status) == 0 {
      guard replacing else {
        throw Fault(
          .outputExists, "exists already", path: self.path,
          hint: "give another name, or --force to replace it")
      }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw Fault(
          .outputExists, "exists and is not a folder", path: self.path,
          hint: "remove it first, or give another name")
      }
    }
    temporaryPath = OutputFile.temporaryName(for: self.path)
    Unfinished.add(temporaryPath)
    guard unsafe mkdir(temporaryPath, 0o777) == 0 else { throw .refused("create", self.path) }
  }

  deinit {
    if !isCommitted.withLock({ $0 }) { removeFolder(temporaryPath) }
    Unfinished.forget(temporaryPath)
  }

  /// Makes the folder `name` in it, unless it is there, and returns where it is being built.
  public func makeFolder(_ name: String) throws(Fault) -> String {
    let folder = temporaryPath + "/" + name
    guard unsafe mkdir(folder, 0o777) == 0 || errno == EEXIST else {
      throw .refused("create", folder)
    }
    return folder
  }

  /// Writes a whole file; `name` may lie in a folder made before.
  public func write(_ bytes: [UInt8], to name: String) throws(Fault) {
    let file = try OutputFile(path: temporaryPath + "/" + name, byteCount: bytes.count)
    try unsafe file.write(bytes.span.bytes, at: 0)
    try file.commit()
  }

  /// Gives the folder its name.
  public func commit() throws(Fault) {
    if replacesExisting, unsafe access(path, F_OK) == 0 {
      let old = OutputFile.temporaryName(for: path)
      guard unsafe rename(path, old) == 0 else { throw .refused("replace", path) }
      guard unsafe rename(temporaryPath, path) == 0 else {
        let fault = Fault.refused("rename to", path)
        unsafe _ = rename(old, path)
        throw fault
      }
      removeFolder(old)
    } else {
      guard unsafe rename(temporaryPath, path) == 0 else { throw .refused("rename to", path) }
    }
    isCommitted.withLock { $0 = true }
  }
}

/// The names in the folder at `path`, sorted by bytes; none if it cannot be read.
///
/// Names that are not UTF-8 are left out: no file of a model has one.
package func folderEntries(of path: String) -> [String] {
  guard let stream = unsafe opendir(path) else { return [] }
  defer { unsafe closedir(stream) }
  var names: [String] = []
  while let entry = unsafe readdir(stream) {
    let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
      unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
        unsafe String(validatingCString: $0)
      }
    }
    if let name, name != ".", name != ".." { names.append(name) }
  }
  return names.sorted { TensorName($0) < TensorName($1) }
}
