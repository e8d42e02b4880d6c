import Inspection
import JSON
import Testing

@Suite("Reports about hostile names")
struct ReportsInjectionTests {
  @Test("text for people has no control characters", arguments: ReportsFixture.attacks)
  func visible(attack: String) throws {
    let report = ReportsFixture.report(attackedBy: attack)
    let plain = ReportsFixture.report(attackedBy: "x")
    let texts = [report.text(TextReportLayout(limit: nil)), report.markdown(), report.junit()]
    for text in texts + [report.gitHubCommands()] {
      for scalar in text.unicodeScalars {
        let category = scalar.properties.generalCategory
        #expect(scalar == "\n" || category != .control)
        #expect(category != .format && category != .lineSeparator && category != .unassigned)
      }
    }
    // An empty title has no line of its own.
    guard !attack.isEmpty else { return }
    // A name cannot add lines where each line means something.
    func lines(_ text: String) -> Int { text.split(separator: "\n").count }
    #expect(lines(report.gitHubCommands()) == lines(plain.gitHubCommands()))
    #expect(lines(report.markdown()) == lines(plain.markdown()))
    #expect(lines(report.junit()) == lines(plain.junit()))
  }

  @Test("a workflow sees only our commands", arguments: ReportsFixture.attacks)
  func gitHub(attack: String) {
    let lines = ReportsFixture.report(attackedBy: attack).gitHubCommands().split(separator: "\n")
    #expect(lines.count == 3)
    for line in lines.dropLast() {
      let head = line.prefix { $0 != "=" }
      #expect(head == "::error file")
      // Two properties and two pairs of colons before the data: no more can come from a name.
      let properties = line.dropFirst(2).split(separator: "::", maxSplits: 1)[0]
      #expect(properties.count { $0 == "," } == 1)
      #expect(!properties.dropFirst(6).contains(":"))
    }
    #expect(lines.last?.hasPrefix("2 files") == true)
  }

  @Test("XML has no markup but ours", arguments: ReportsFixture.attacks)
  func xml(attack: String) {
    func tags(_ text: String) -> [Substring] {
      text.split(separator: "<").dropFirst().map { $0.prefix { $0.isLetter || $0 == "/" } }
    }
    let text = ReportsFixture.report(attackedBy: attack).junit()
    #expect(tags(text) == tags(ReportsFixture.report(attackedBy: "x").junit()))
    #expect(!text.contains("]]>"))
    for piece in text.split(separator: "&").dropFirst() {
      #expect(["amp;", "lt;", "gt;", "quot;", "apos;"].contains { piece.hasPrefix($0) })
    }
  }

  @Test("Markdown tables keep their cells and hold no HTML", arguments: ReportsFixture.attacks)
  func markdown(attack: String) {
    let text = ReportsFixture.report(attackedBy: attack).markdown()
    for row in text.split(separator: "\n") where row.hasPrefix("|") {
      // Bars that are not escaped separate cells.
      #expect(row.replacing("\\|", with: "").count { $0 == "|" } == 5, "\(row)")
    }
    let outside = text.replacing(/\\./, with: "").replacing(/`+[^\n]*?`+/, with: "")
    #expect(!outside.contains("<script") && !outside.contains("<b x"))
    #expect(!outside.contains("](") && !outside.contains("://") && !outside.contains("@every"))
  }

  @Test("SARIF messages have no arguments or links", arguments: ReportsFixture.attacks)
  func sarif(attack: String) throws {
    let log = ReportsFixture.report(attackedBy: attack).sarifValue()
    for result in log["runs"]?.array?.first?["results"]?.array ?? [] {
      let text = try #require(result["message"]?["text"]?.string)
      #expect(!text.contains("]("))
      #expect(!text.replacing("{{", with: "").contains("{"))
    }
  }
}
