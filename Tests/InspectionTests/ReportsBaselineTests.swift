import Inspection
import Tensors
import Testing

@Suite("Baselines")
struct ReportsBaselineTests {
  private let report = ReportsFixture.report

  @Test("a baseline accepts what it was made from, except what is fatal")
  func accepting() {
    let result = Baseline(accepting: report).applied(to: report)
    #expect(result.files.map(\.status) == [.clean, .clean, .unsafe, .unreadable])
    #expect(result.baseline?.acceptedCount == 10)
    #expect(result.baseline?.stale == [])
    #expect(result.exitCode(failOn: .note) == 2)
    #expect(result.summary.hasSuffix("; 2 fatal findings; 10 accepted by the baseline"))
  }

  @Test("fatal findings are accepted only by the name of their rule, unreadable files never")
  func fatal() {
    let named = Baseline(accepting: report, fatalRules: ["XX005", "IO003"])
    let result = named.applied(to: report)
    #expect(result.files.map(\.status) == [.clean, .clean, .clean, .unreadable])
    let unnamed = Baseline(entries: named.entries)
    #expect(unnamed.entries.contains { $0.rule == "XX005" })
    #expect(unnamed.applied(to: report).files.map(\.status)[2] == .unsafe)
  }

  @Test("new findings remain")
  func newFindings() {
    let before = ValidationReport(version: "1", files: [ReportsFixture.broken])
    let faults =
      ReportsFixture.broken.findings + [
        Fault(ReportsFixture.values, "holds NaN", tensor: "new.weight"),
        Fault(ReportsFixture.remark, "holds EMA weights again"),
      ]
    let after = ValidationReport(
      version: "2", files: [FileReport(path: "./models//broken.ckpt", findings: faults)])
    let result = Baseline(accepting: before).applied(to: after)
    #expect(result.files[0].findings.map(\.rule.id) == ["XX003", "XX004"])
    #expect(result.files[0].findings[0].tensor == "new.weight")
  }

  @Test("other words and places do not make a finding new")
  func newWords() {
    let known = Baseline(entries: [.init(path: "x", rule: "XX003", tensor: "a")])
    let fault = Fault(ReportsFixture.values, "other words", offset: 99, tensor: "a")
    let result = known.applied(
      to: ValidationReport(version: "1", files: [FileReport(path: "x", findings: [fault])]))
    #expect(result.files[0].status == .clean)
  }

  @Test("entries that were not found are stale, if their file was examined")
  func stale() throws {
    let known = Baseline(entries: [
      .init(path: "x", rule: "XX001", tensor: "gone", count: 2), .init(path: "x", rule: "XX004"),
      .init(path: "elsewhere", rule: "XX001"), .init(path: "broken", rule: "XX001"),
    ])
    let report = ValidationReport(
      version: "1",
      files: [
        FileReport(path: "x", findings: [Fault(ReportsFixture.remark, "is")]),
        FileReport(path: "broken", unreadable: Fault(.fileTruncated, "ends early")),
      ])
    let result = known.applied(to: report)
    #expect(result.baseline?.stale == [.init(path: "x", rule: "XX001", tensor: "gone", count: 2)])
    #expect(
      result.text().contains(
        """
        2 findings of the baseline have gone; write it anew to keep it short
          XX001  x gone × 2

        """))
    #expect(result.markdown().contains("| XX001 | `x` | `gone` | 2 |"))
    #expect(try result.json().contains(#""accepted": 1"#))
  }

  @Test("a baseline is a sorted text that reads back as the same baseline")
  func text() throws {
    let baseline = Baseline(
      entries: [
        .init(path: "b", rule: "XX001"), .init(path: "./a", rule: "XX002", tensor: "t"),
        .init(path: "a", rule: "XX001", tensor: "é"), .init(path: "b", rule: "XX001"),
        .init(path: "a", rule: "XX001"), .init(path: "a", rule: "XX001", tensor: "e\u{301}"),
      ], acceptedFatalRules: ["PT009", "PT001", "PT009"])
    let text = try baseline.serialized()
    #expect(
      text == """
        {
          "schema": "sdtool-baseline/1",
          "acceptFatal": [
            "PT001",
            "PT009"
          ],
          "findings": [
            {
              "path": "a",
              "rule": "XX001"
            },
            {
              "path": "a",
              "rule": "XX001",
              "tensor": "e\u{301}"
            },
            {
              "path": "a",
              "rule": "XX001",
              "tensor": "é"
            },
            {
              "path": "a",
              "rule": "XX002",
              "tensor": "t"
            },
            {
              "path": "b",
              "rule": "XX001",
              "count": 2
            }
          ]
        }

        """)
    #expect(try Baseline(parsing: Array(text.utf8)) == baseline)
  }

  @Test(
    "what is not a baseline is refused with the place",
    arguments: [
      ("{}", "is not a baseline: expected \"schema\": \"sdtool-baseline/1\", found none"),
      (#"{"schema": "x/2"}"#, "found x/2"),
      (#"{"schema": "sdtool-baseline/1", "findings": {}}"#, "found an object"),
      (#"{"schema": "sdtool-baseline/1", "findings": [1]}"#, "is damaged in findings[0]"),
      (
        #"{"schema": "sdtool-baseline/1", "findings": [{"path": "", "rule": "", "count": 0}]}"#,
        "expected a positive whole number as count"
      ),
      (#"{"schema": "sdtool-baseline/1", "acceptFatal": [1]}"#, "is damaged in acceptFatal[0]"),
      ("[", "is not valid JSON"),
    ])
  func refused(text: String, words: String) {
    #expect {
      try Baseline(parsing: Array(text.utf8))
    } throws: { error in
      (error as? Fault)?.sentence.contains(words) == true
    }
  }

  @Test("counts that add up beyond 64 bits are no problem")
  func overflow() {
    let entry = Baseline.Entry(path: "x", rule: "XX001", count: .max)
    #expect(Baseline(entries: [entry, entry]).entries == [entry])
  }
}
