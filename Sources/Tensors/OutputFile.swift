import Glibc
import Synchronization

/// A file under construction, that appears under its name complete or not at all.
///
/// The bytes go to a file without a name where the file system can do that, else to a sibling
/// `.NAME.XXXXXX.partial`; ``commit()`` gives it its name in one step. Any thread may write any
/// range.
public final class OutputFile: Sendable {
  /// The final name.
  public let path: String
  /// The open file, for copies that the operating system makes by itself.
  package let descriptor: CInt

  private let replacesExisting: Bool
  /// The name it stands under until it is committed; empty when it has none.
  private let temporaryPath: Mutex<String>

  /// Begins a file of `byteCount` bytes that will be called `path`.
  ///
  /// - Throws: ``Rule/outputExists`` when the name is taken and `replacing` is false,
  ///   ``Rule/diskFull`` when there is no room for `byteCount` bytes.
  public init(path: String, byteCount: Int, replacing: Bool = false) throws(Fault) {
    self.path = path
    replacesExisting = replacing
    var status = stat()
    let exists = unsafe stat(path, &status) == 0
    if exists, !replacing {
      throw Fault(
        .outputExists, "exists already", path: path,
        hint: "give another name, or --force to replace it")
    }
    if exists, status.st_mode & S_IFMT != S_IFREG {
      throw Fault(.notRegularFile, "exists and is not a regular file", path: path)
    }
    let folder = Self.folder(of: path)
    try Self.checkRoom(for: byteCount, in: folder)
    let mode: mode_t = exists ? status.st_mode & 0o7777 : 0o666
    var opened = unsafe open(folder, Self.withoutName | O_RDWR | O_CLOEXEC, mode)
    var name = ""
    if opened < 0, errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL {
      name = Self.temporaryName(for: path)
      opened = unsafe open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, mode)
    }
    guard opened >= 0 else { throw .refused("create", path) }
    descriptor = opened
    temporaryPath = Mutex(name)
    // O_TMPFILE applies the umask to the mode, which a replaced file's mode must not suffer.
    if exists { fchmod(descriptor, mode) }
    guard byteCount == 0 || ftruncate(descriptor, byteCount) == 0 else {
      throw .refused("reserve room for", path)
    }
  }

  deinit {
    close(descriptor)
    let name = temporaryPath.withLock { $0 }
    if !name.isEmpty { unsafe _ = unlink(name) }
  }

  /// Stores `bytes` from byte `offset` of the file.
  public func write(_ bytes: RawSpan, at offset: Int) throws(Fault) {
    var done = 0
    while done < bytes.byteCount {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe pwrite(
          descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done,
          offset + done)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .refused("write", path) }
      done += count
    }
  }

  /// Makes the contents durable and gives the file its name.
  public func commit() throws(Fault) {
    guard fsync(descriptor) == 0 else { throw .refused("write", path) }
    try temporaryPath.withLock { name throws(Fault) in
      if name.isEmpty {
        let fresh = replacesExisting ? Self.temporaryName(for: path) : path
        let link = "/proc/self/fd/\(descriptor)"
        guard unsafe linkat(AT_FDCWD, link, AT_FDCWD, fresh, AT_SYMLINK_FOLLOW) == 0 else {
          throw errno == EEXIST
            ? Fault(.outputExists, "appeared while it was being made", path: path)
            : .refused("name", path)
        }
        guard replacesExisting else { return }
        name = fresh
      }
      guard unsafe rename(name, path) == 0 else { throw .refused("rename to", path) }
      name = ""
    }
    let folder = unsafe open(Self.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  /// Checks that `folder` has room for `byteCount` more bytes.
  ///
  /// - Throws: ``Rule/diskFull``.
  public static func checkRoom(for byteCount: Int, in folder: String) throws(Fault) {
    var status = statvfs()
    guard unsafe statvfs(folder, &status) == 0 else { throw .refused("use folder", folder) }
    let (free, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(
      by: UInt64(status.f_frsize))
    guard overflow || UInt64(max(0, byteCount)) <= free else {
      throw Fault(
        .diskFull, "has too little room", path: folder, expected: "\(byteCount) bytes free",
        found: "\(free)", hint: "free some space, or write elsewhere")
    }
  }

  /// The folder that holds `path`.
  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Linux's `O_TMPFILE`, which its headers spell as an expression that Swift does not import.
  private static let withoutName: CInt = 0o20_000_000 | O_DIRECTORY

  static func temporaryName(for path: String) -> String {
    let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    let random = String(UInt64.random(in: .min ... .max), radix: 36)
    return folder(of: path) + "/.\(name).\(random).partial"
  }
}
