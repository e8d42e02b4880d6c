import CKernels
import Glibc
import Synchronization

/// A file under construction, that appears under its name complete or not at all.
///
/// The bytes go to a file without a name where the file system can do that, else to a sibling
/// `.NAME.RANDOM.partial`; ``commit()`` gives it its name in one step. Any thread may write any
/// range.
public final class OutputFile: Sendable {
  /// The final name.
  public let path: String
  /// The length it will have.
  public let byteCount: Int
  /// The open file, for copies that the operating system makes by itself.
  package let descriptor: CInt

  private let replacesExisting: Bool
  /// The name it stands under until it is committed; empty when it has none.
  private let temporaryPath: Mutex<String>

  /// Begins a file of `byteCount` bytes that will be called `path`.
  ///
  /// - Parameters:
  ///   - path: the final name.
  ///   - byteCount: its length.
  ///   - replacing: whether an existing file of that name is replaced.
  ///   - isDirect: whether ``fill(width:_:)`` may bypass the page cache. Filling a fresh page cache
  ///     costs several times what the disk does.
  /// - Throws: ``Rule/outputExists`` when the name is taken and `replacing` is false,
  ///   ``Rule/diskFull`` when there is no room for `byteCount` bytes.
  public init(
    path: String, byteCount: Int, replacing: Bool = false, isDirect: Bool = false
  ) throws(Fault) {
    self.path = path
    self.byteCount = byteCount
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
    let direct = isDirect ? ck_open_direct() : 0
    var name = ""
    var opened = unsafe open(folder, ck_open_unnamed() | direct | O_RDWR | O_CLOEXEC, mode)
    if opened < 0, errno == EINVAL, isDirect {
      opened = unsafe open(folder, ck_open_unnamed() | O_RDWR | O_CLOEXEC, mode)
    }
    if opened < 0, errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL {
      name = Self.temporaryName(for: path)
      opened = unsafe open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, mode)
    }
    guard opened >= 0 else { throw .refused("create", path) }
    descriptor = opened
    if !name.isEmpty { Unfinished.add(name) }
    temporaryPath = Mutex(name)
    // O_TMPFILE applies the umask to the mode, which a replaced file's mode must not suffer.
    if exists { fchmod(descriptor, mode) }
    // Reserved blocks cannot run out half-way; a file system that cannot reserve grows the file.
    if byteCount > 0, ck_reserve(descriptor, Int64(byteCount)) != 0,
      errno == ENOSPC || ftruncate(descriptor, byteCount) != 0
    {
      throw .refused("reserve room for", path)
    }
  }

  deinit {
    close(descriptor)
    let name = temporaryPath.withLock { $0 }
    if !name.isEmpty {
      unsafe _ = unlink(name)
      Unfinished.forget(name)
    }
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
      // Some file systems accept direct files and refuse direct writes.
      if count < 0, errno == EINVAL, stopBeingDirect() { continue }
      guard count > 0 else { throw .refused("write", path) }
      done += count
    }
  }

  /// Sees the bytes of a file as they are written: the first offset, and some bytes.
  public typealias Observer = @Sendable (_ offset: Int, _ bytes: RawSpan) -> Void

  /// Fills the whole file, window by window, from several threads.
  ///
  /// - Parameters:
  ///   - width: the number of threads that work at once; as many again wait for the disk.
  ///   - observers: each sees all bytes in their order, beside the others.
  ///   - contents: called once for each window, from any thread, with its first byte; must write
  ///     all of it.
  /// - Throws: what `contents` throws, ``Rule/diskFull`` or ``Rule/fileOperation``.
  public func fill(
    width: Int, observers: [Observer] = [],
    _ contents: @Sendable (_ offset: Int, inout MutableRawSpan) throws(Fault) -> Void
  ) throws(Fault) {
    let window = 1 << 20
    let count = (byteCount + window - 1) / window
    let turns = observers.map { _ in Turns() }
    try forEachIndex(
      below: count, width: width == 1 ? 1 : 2 * width, local: { Buffer(byteCount: window) }
    ) { (index, buffer: inout Buffer) throws(Fault) in
      let start = index * window
      let length = min(window, byteCount - start)
      var bytes = buffer.bytes(length)
      do throws(Fault) {
        try contents(start, &bytes)
        for (turn, observer) in zip(turns, observers) {
          turn.take(index) { observer(start, bytes.bytes) }
        }
        // Direct writes come in whole blocks; what is beyond the end is cut off below.
        let whole = (length + Self.block - 1) / Self.block * Self.block
        var padded = buffer.bytes(whole)
        for position in length..<whole {
          padded.storeBytes(of: 0, toByteOffset: position, as: UInt8.self)
        }
        try write(padded.bytes, at: start)
      } catch {
        // This index had no turn, and others must not wait for it.
        for turn in turns { turn.end() }
        throw error
      }
    }
    guard ftruncate(descriptor, byteCount) == 0 else { throw .refused("write", path) }
  }

  /// Stores `bytes` over what was written before, at any offset; further writes go through the page
  /// cache.
  package func amend(_ bytes: RawSpan, at offset: Int) throws(Fault) {
    _ = stopBeingDirect()
    try write(bytes, at: offset)
  }

  /// What direct writes must be a multiple of.
  private static let block = 4096

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
      Unfinished.forget(name)
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

  /// Lets all further writes go through the page cache; whether they did not before.
  private func stopBeingDirect() -> Bool {
    let flags = fcntl(descriptor, F_GETFL)
    guard flags >= 0, flags & ck_open_direct() != 0 else { return false }
    return fcntl(descriptor, F_SETFL, flags & ~ck_open_direct()) == 0
  }

  /// The folder that holds `path`.
  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func temporaryName(for path: String) -> String {
    let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    let random = String(UInt64.random(in: .min ... .max), radix: 36)
    return folder(of: path) + "/.\(name).\(random).partial"
  }
}
