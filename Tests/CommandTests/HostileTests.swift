import Foundation
import Testing

/// Hostile, broken and oddly valid files, as `fixtures/hostile/make.py` makes them.
@Suite(.enabled(if: Python.isPresent, "python3 is not installed"))
struct HostileTests {
  @Test("every hostile file is refused with its rule, every oddity accepted, none crashes or hangs")
  func verdicts() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("sdtool-hostile-\(ProcessInfo.processInfo.processIdentifier)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let made = try Python.run([Self.script("make.py"), folder.path])
    try #require(made.status == 0, "make.py failed: \(made.output)")
    let checked = try Python.run([Self.script("check.py"), Tool.url.path, folder.path])
    for line in checked.output.split(separator: "\n") {
      Issue.record("\(line)")
    }
    #expect(checked.status == 0)
  }

  @Test("the corpus is the same each time it is made")
  func deterministic() throws {
    let parent = FileManager.default.temporaryDirectory
      .appendingPathComponent("sdtool-hostile-twice-\(ProcessInfo.processInfo.processIdentifier)")
    defer { try? FileManager.default.removeItem(at: parent) }
    var reports: [String] = []
    for name in ["a", "b"] {
      let made = try Python.run([Self.script("make.py"), parent.appendingPathComponent(name).path])
      try #require(made.status == 0)
      reports.append(made.output)
    }
    #expect(reports[0].contains("SHA-256"))
    #expect(reports[0] == reports[1])
  }

  private static func script(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("fixtures/hostile/\(name)").path
  }
}

/// The Python interpreter, which makes the files and measures the commands.
private enum Python {
  static let isPresent =
    (try? run(["-c", "import sys; sys.exit(sys.version_info < (3, 9))"]))?.status == 0

  static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let result = try Tool.run(URL(fileURLWithPath: "/usr/bin/env"), ["python3"] + arguments)
    return (result.code, result.output)
  }
}
