import Foundation
import Glibc

/// Where the committed fixtures are, and a place for files that tests write.
public enum Fixtures {
  /// The path of a file below `fixtures/`.
  public static func path(_ name: String) -> String { root + "/fixtures/" + name }

  /// The top of the package.
  public static let root: String = {
    // This file is Tests/TestSupport/Fixtures.swift.
    #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
  }()
}

/// A folder that is removed, with all that is in it, when its owner goes.
public final class TemporaryFolder: Sendable {
  /// Where it is.
  public let path: String

  /// Makes an empty folder.
  public init() {
    var template = Array("/tmp/sdtool-test-XXXXXX".utf8CString)
    let made = unsafe mkdtemp(&template)
    path = unsafe made.map { unsafe String(cString: $0) } ?? "/tmp"
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file in it.
  public func path(_ name: String) -> String { path + "/" + name }

  /// Writes a file and returns its path.
  public func write(_ bytes: [UInt8], to name: String) -> String {
    let path = self.path(name)
    let file = unsafe fopen(path, "wb")
    guard let file = unsafe file else { return path }
    defer { unsafe fclose(file) }
    unsafe _ = fwrite(bytes, 1, bytes.count, file)
    return path
  }
}

/// All bytes of the file at `path`; empty if it cannot be read.
public func contents(of path: String) -> [UInt8] {
  guard let file = unsafe fopen(path, "rb") else { return [] }
  defer { unsafe fclose(file) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while case let count = unsafe fread(&chunk, 1, chunk.count, file), count > 0 {
    bytes += chunk[..<count]
  }
  return bytes
}
