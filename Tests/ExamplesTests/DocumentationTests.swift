import Comparison
import Foundation
import Inspection
import JSON
import Synthesis
import TestSupport
import Testing

/// Whether the examples that are shown are those that are compiled and run.
@Suite struct DocumentationTests {
  /// Every library's landing page.
  static let pages: [String] = {
    let sources = Fixtures.root + "/Sources/"
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: sources)) ?? []
    return folders.sorted().map { sources + "\($0)/\($0).docc/\($0).md" }
      .filter { FileManager.default.fileExists(atPath: $0) }
  }()

  @Test("every library has a landing page") func libraries() throws {
    let manifest = try String(contentsOfFile: Fixtures.root + "/Package.swift", encoding: .utf8)
    let list = try #require(
      manifest.split(separator: "let libraries = [").last?.split(separator: "]").first)
    let names = list.split(separator: "\"").filter { $0.allSatisfy(\.isLetter) }
    #expect(names.count == Self.pages.count)
    for name in names { #expect(Self.pages.contains { $0.hasSuffix("/\(name).md") }) }
  }

  @Test("every example of a landing page stands in ExamplesTests.swift", arguments: pages)
  func examples(page: String) throws {
    let tests = try lines(of: Fixtures.root + "/Tests/ExamplesTests/ExamplesTests.swift")
    let blocks = try examples(in: lines(of: page))
    #expect(!blocks.isEmpty)
    for block in blocks {
      let stands = tests.indices.contains { tests[$0...].starts(with: block) }
      #expect(stands, "not compiled:\n\(block.joined(separator: "\n"))")
    }
  }

  @Test("every member of a model's JSON is documented") func json() throws {
    let model = InspectedModel(SyntheticModel(preset: .sd15Tiny, seed: 1))
    let report = ValidationReport(
      version: "1", files: [FileReport(path: "a", unreadable: nil)], baseline: nil)
    let text = try String(contentsOfFile: Fixtures.root + "/docs/json.md", encoding: .utf8)
    let (a, b) = (model.source, SyntheticModel(preset: .sd15Tiny, seed: 2))
    let difference = try ModelDifference.compare(a, b, width: 2)
    let explanation = try MergeExplanation.explain(a, from: [a, b], width: 2)
    let ancestry = try Ancestry.of([a, b, a], width: 2)
    let keys = [
      model.json, report.jsonValue, difference.json, explanation.json(paths: ["a", "b"]),
      ancestry.json,
    ].reduce(into: Set<String>()) { $0.formUnion(self.keys(of: $1)) }
    #expect(keys.contains("components"))
    for key in keys.sorted() {
      #expect(text.contains("`\(key)`") || text.contains("\"\(key)\":"), "\(key) is not documented")
    }
  }

  /// The names of all members, however deep.
  private func keys(of value: JSONValue) -> Set<String> {
    if let object = value.object {
      return object.reduce(into: []) { keys, member in
        keys.insert(member.key)
        // Their members are named by the file, not by us.
        if ["metadata", "types", "recipe"].contains(member.key) { return }
        keys.formUnion(self.keys(of: member.value))
      }
    }
    return (value.array ?? []).reduce(into: []) { $0.formUnion(keys(of: $1)) }
  }

  /// The lines of a file without indentation.
  private func lines(of path: String) throws -> [String] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      .map { $0.trimmingCharacters(in: .whitespaces) }
  }

  /// The lines of each block of Swift.
  private func examples(in lines: [String]) -> [[String]] {
    var blocks: [[String]] = []
    var isInside = false
    for line in lines {
      if line.hasPrefix("```") {
        isInside = line == "```swift"
        if isInside { blocks.append([]) }
      } else if isInside {
        blocks[blocks.count - 1].append(line)
      }
    }
    return blocks
  }
}
