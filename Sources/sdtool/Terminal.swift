import Glibc
import Inspection

/// What the program writes to and what that can show.
enum Terminal {
  /// Whether standard output is a terminal.
  static let isInteractive = isatty(STDOUT_FILENO) == 1

  /// Whether standard error is a terminal.
  static let isErrorInteractive = isatty(STDERR_FILENO) == 1

  /// The number of columns: the terminal's, `COLUMNS`, or 100 where there is no terminal.
  static let width: Int = {
    var size = winsize()
    if isInteractive, unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return Int(size.ws_col)
    }
    return environment("COLUMNS").flatMap { Int($0) }.map { min(max($0, 40), 1000) } ?? 100
  }()

  /// Shows what is being worked on in one line of a terminal, until the next call.
  static func showStatus(_ path: String) {
    guard isatty(STDERR_FILENO) == 1 else { return }
    write(
      "\r\u{1B}[2K" + "checking \(path.sanitized(limit: max(20, width - 10)))", to: STDERR_FILENO)
  }

  /// Removes what ``showStatus(_:)`` showed.
  static func clearStatus() {
    guard isatty(STDERR_FILENO) == 1 else { return }
    write("\r\u{1B}[2K", to: STDERR_FILENO)
  }

  /// The value of an environment variable.
  static func environment(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// Writes `text` to standard output at once; the exit code tells when that fails.
  static func write(_ text: String) { write(text, to: STDOUT_FILENO) }

  /// Writes `text` and a line end to standard error.
  static func writeError(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

  /// Writes `text` to standard error as it is.
  static func writeProgress(_ text: String) { write(text, to: STDERR_FILENO) }

  /// Writes bytes to standard output at once; the exit code tells when that fails.
  static func write(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBufferPointer { unsafe write($0, to: STDOUT_FILENO) }
  }

  private static func write(_ text: String, to descriptor: CInt) {
    var text = text
    text.withUTF8 { unsafe write($0, to: descriptor) }
  }

  private static func write(_ bytes: UnsafeBufferPointer<UInt8>, to descriptor: CInt) {
    var done = 0
    while done < bytes.count {
      guard let base = bytes.baseAddress else { return }
      let count = unsafe Glibc.write(descriptor, base + done, bytes.count - done)
      if count < 0, errno == EINTR { continue }
      // A closed pipe ends the output, as `head` expects; a full disk must not pass for success.
      guard count > 0 else {
        let number = errno
        if number == EPIPE { exit(0) }
        if descriptor == STDOUT_FILENO {
          let reason = unsafe String(cString: strerror(number))
          writeError("sdtool: standard output cannot be written: \(reason)")
        }
        exit(2)
      }
      done += count
    }
  }
}
