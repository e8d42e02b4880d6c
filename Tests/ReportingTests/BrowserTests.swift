import Comparison
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
    arguments: ["hostile, with 2,000 tensors and ancestors", "two models", "family"])
  func page(what: String) throws {
    let text =
      switch what {
      case "hostile, with 2,000 tensors and ancestors":
        try report([
          PlantedSource(extra: 869, metadata: PlantedSource().metadata + generations)
        ]).rendered(as: .html)
      case "family": try family().document.html(version: "1.2.3")
      default:
        try report([1, 2].map { SyntheticModel(preset: .sd15Tiny, seed: $0, dtype: .f16) })
          .rendered(as: .html)
      }
    let (code, output) = try Self.check(text)
    #expect(code == 0, "\(output)")
  }

  /// Metadata of a merge of merges of merges, in which models of all generations are used again.
  private var generations: [MetadataEntry] {
    func hash(_ number: Int) -> String {
      String(repeating: "0", count: 62) + (number < 10 ? "0" : "") + "\(number)"
    }
    func merge(_ a: Int, _ b: Int) -> String {
      "{\"type\":\"webui\",\"primary_model_hash\":\"\(hash(a))\",\"secondary_model_hash\":\"\(hash(b))\","
        + "\"interp_method\":\"Weighted sum\",\"multiplier\":0.5}"
    }
    let parents = [10: (11, 12), 11: (13, 14), 12: (14, 15), 13: (16, 17), 14: (15, 17)]
    let models = (10..<18).map { number in
      let recipe = parents[number].map { merge($0.0, $0.1) } ?? "null"
      return
        "\"\(hash(number))\":{\"name\":\"model \(number).safetensors\",\"sd_merge_recipe\":\(recipe)}"
    }
    return [
      MetadataEntry(key: "sd_merge_recipe", value: merge(10, 15)),
      MetadataEntry(key: "sd_merge_models", value: "{\(models.joined(separator: ","))}"),
    ]
  }

  /// Copies, relatives and strangers.
  private func family() throws -> Ancestry {
    try Ancestry.of(
      [1, 2, 1, 3].map { SyntheticModel(preset: .sd15Tiny, seed: $0, dtype: .f16) }, width: 2)
  }
}
