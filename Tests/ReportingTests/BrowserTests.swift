import Foundation
import Reporting
import Synthesis
import Tensors
import TestSupport
import Testing

/// Whether a program is in the path.
private func isInstalled(_ names: String...) -> Bool {
  let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
  return names.contains { name in
    folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }
  }
}

@Suite("Pages in a browser", .serialized)
struct BrowserTests {
  /// Opens a page in Chromium; what the check says, and its exit code.
  private static func check(_ page: String) throws -> (code: Int32, output: String) {
    let folder = TemporaryFolder()
    let path = folder.write(Array(page.utf8), to: "page.html")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", Fixtures.path("browser/check_page.py"), path]
    let output = folder.write([], to: "output")
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
    process.standardError = process.standardOutput
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: contents(of: output), as: UTF8.self))
  }

  @Test(
    "a page has no errors, can be searched and sorted, fits and is legible",
    .enabled(
      if: isInstalled("chromium", "chromium-browser", "google-chrome") && isInstalled("python3"),
      "Chromium is not installed; Scripts/setup --tests installs it"),
    arguments: ["hostile", "2,000 tensors", "two models"])
  func page(what: String) throws {
    let text =
      switch what {
      case "hostile": try report([PlantedSource()]).rendered(as: .html)
      case "2,000 tensors": try report([PlantedSource(extra: 869)]).rendered(as: .html)
      default:
        try report([1, 2].map { SyntheticModel(preset: .sd15Tiny, seed: $0, dtype: .f16) })
          .rendered(as: .html)
      }
    let (code, output) = try Self.check(text)
    #expect(code == 0, "\(output)")
  }
}
