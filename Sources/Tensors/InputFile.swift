import Glibc

/// A file open for reading, that notices when it changes.
///
/// Bytes are read on demand with `pread`, never mapped: a mapped file that becomes shorter kills
/// the process, a read that comes up short is an error. One open file serves any number of threads.
///
///     let file = try InputFile(path: "model.safetensors")
///     let start = try file.read(at: 0, count: 8)
public final class InputFile: Sendable {
  /// The path it was opened by.
  public let path: String
  /// Its length in bytes when it was opened.
  public let byteCount: Int

  package let descriptor: CInt
  private let identity: Identity

  /// Opens a regular file.
  ///
  /// - Throws: ``Rule/fileOperation`` when it cannot be opened, ``Rule/notRegularFile`` for a
  ///   folder, device or pipe.
  public init(path: String) throws(Fault) {
    self.path = path
    // Without O_NONBLOCK, opening a pipe would wait for its other end.
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .refused("open", path) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      let fault = Fault.refused("examine", path)
      close(descriptor)
      throw fault
    }
    identity = Identity(status)
    byteCount = Int(status.st_size)
    // From here on the object is whole, and deinit closes the file.
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Fault(
        .notRegularFile, "is not a regular file", path: path,
        found: status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "a device, pipe or socket")
    }
  }

  deinit { close(descriptor) }

  /// Fills `buffer` with the bytes that begin at `offset`.
  ///
  /// - Throws: ``Rule/fileTruncated`` when the file ends first.
  public func read(at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    var done = 0
    while done < buffer.byteCount {
      let count = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe pread(
          descriptor, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done, offset + done)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .refused("read", path) }
      guard count > 0 else {
        throw Fault(
          .fileTruncated, "ends early", path: path, offset: offset + done,
          expected: "\(buffer.byteCount) bytes from byte \(offset)", found: "\(done)",
          hint: "the file was truncated, or became shorter while it was read")
      }
      done += count
    }
  }

  /// The `count` bytes that begin at `offset`.
  ///
  /// The range must lie inside the file, so that no number from a file can make this allocate
  /// more than the file's own size.
  public func read(at offset: Int, count: Int) throws(Fault) -> [UInt8] {
    let (end, overflow) = offset.addingReportingOverflow(count)
    guard offset >= 0, count >= 0, !overflow, end <= byteCount else {
      throw Fault(
        .fileTruncated, "ends early", path: path, offset: offset, expected: "\(count) bytes",
        found: "\(max(0, byteCount - max(0, offset)))")
    }
    var bytes = [UInt8](repeating: 0, count: count)
    var span = bytes.mutableSpan
    var raw = unsafe span.mutableBytes
    try read(at: offset, into: &raw)
    return bytes
  }

  /// Checks that the file is still the one that was opened: same size, time and identity.
  ///
  /// Call it after the last read, before the result is used.
  ///
  /// - Throws: ``Rule/fileChanged``.
  public func checkUnchanged() throws(Fault) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .refused("examine", path) }
    guard Identity(status) == identity else {
      throw Fault(
        .fileChanged, "changed while it was read", path: path,
        hint: "wait until the program that writes it has finished, and try again")
    }
  }

  /// What tells that a file is still the same.
  private struct Identity: Equatable, Sendable {
    let device: dev_t, node: ino_t, size: off_t, seconds: time_t, nanoseconds: Int

    init(_ status: stat) {
      device = status.st_dev
      node = status.st_ino
      size = status.st_size
      seconds = status.st_mtim.tv_sec
      nanoseconds = status.st_mtim.tv_nsec
    }
  }

  /// What the file system says about the file: other contents, other text.
  package var fingerprint: String {
    "\(identity.device):\(identity.node):\(identity.size):\(identity.seconds).\(identity.nanoseconds)"
  }

  /// Whether the last change is so long ago that another one would have another time.
  package var isSettled: Bool { identity.seconds + 2 < time(nil) }

  /// Whether both are the same file on disk, whatever their paths.
  public func isSameFile(as other: InputFile) -> Bool {
    identity.device == other.identity.device && identity.node == other.identity.node
  }
}

extension Fault {
  /// The operating system's refusal of `operation`, from `errno`.
  package static func refused(_ operation: String, _ path: String, code: CInt = errno) -> Fault {
    Fault(
      code == ENOSPC || code == EDQUOT ? .diskFull : .fileOperation,
      unsafe "cannot \(operation): \(String(cString: strerror(code)))", path: path,
      hint: code == ENOENT && operation == "open" ? neighbour(of: path) : nil)
  }

  /// Which file of the same folder was probably meant by a path that does not exist.
  private static func neighbour(of path: String) -> String? {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
    guard let near = nearest(to: String(name), in: folderEntries(of: folder)) else { return nil }
    return "did you mean '\(slash.map { String(path[...$0]) } ?? "")\(near)'?"
  }
}
