import Glibc
import Tensors

/// A folder whose files may be read: those in it, and those that the Hugging Face cache links to.
///
/// Everything that opens a file of a downloaded folder goes through this type, so that no name or
/// link in it can lead elsewhere.
struct ModelFolder: Sendable {
  /// The folder as the user named it.
  let path: String
  /// The folder without links; every file must lie below it.
  private let realPath: String

  /// The folder at `path`, which the user named and may be a link.
  init(path: String) throws(Fault) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard let real = Self.resolve(path) else { throw .refused("open", path) }
    realPath = real
  }

  private init(path: String, realPath: String) {
    self.path = path
    self.realPath = realPath
  }

  /// The names in the folder, sorted by bytes; none if it cannot be read.
  func entries() -> [String] { folderEntries(of: path) }

  /// Whether a file or folder of that name exists.
  func contains(_ name: String) -> Bool {
    var status = stat()
    return unsafe lstat(path + "/" + name, &status) == 0
  }

  /// Whether `name` is a folder, links not followed.
  func isFolder(_ name: String) -> Bool {
    var status = stat()
    return unsafe lstat(path + "/" + name, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The folder `name` in this one.
  func folder(_ name: String) -> ModelFolder {
    ModelFolder(path: path + "/" + name, realPath: realPath)
  }

  /// Opens the file `name`.
  ///
  /// - Throws: ``Rule/linkOutside`` when it is a link that leads out of the folder.
  func open(_ name: String) throws(Fault) -> InputFile {
    let path = self.path + "/" + name
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { throw .refused("open", path) }
    // A name below may lead through a link before its end.
    let isLink = status.st_mode & S_IFMT == S_IFLNK
    if isLink || name.utf8.contains(UInt8(ascii: "/")) { try checkLink(path) }
    return try InputFile(path: path)
  }

  private func checkLink(_ path: String) throws(Fault) {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = unsafe readlink(path, &target, Int(PATH_MAX))
    guard let real = Self.resolve(path) else { throw .refused("follow the link", path) }
    if real.hasPrefix(realPath + "/") { return }
    let text =
      count < 0
      ? real : String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // The end of a chain counts, too: the cache's file must not be a link that leads on.
    guard Self.isCacheLink(text),
      real.split(separator: "/").suffix(2) == text.split(separator: "/").suffix(2)
    else {
      throw Fault(
        .linkOutside, "is a link out of the folder", path: path, found: "'\(text)'",
        hint: "replace the link by the file if you trust it")
    }
  }

  /// Whether a link has the form that the Hugging Face cache uses: `../../blobs/` and a hash.
  private static func isCacheLink(_ target: String) -> Bool {
    var parts = target.split(separator: "/", omittingEmptySubsequences: false)[...]
    var climbs = 0
    while parts.first == ".." {
      parts.removeFirst()
      climbs += 1
    }
    guard climbs >= 2, parts.count == 2, parts.first == "blobs", let hash = parts.last else {
      return false
    }
    return (32...64).contains(hash.utf8.count)
      && hash.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  private static func resolve(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }
}
