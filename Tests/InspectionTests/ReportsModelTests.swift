import Inspection
import Tensors
import Testing

@Suite("Validation reports")
struct ReportsModelTests {
  private func file(_ severities: [Severity], unreadable: Bool = false) -> FileReport {
    FileReport(
      path: "x", findings: severities.map { Fault(ReportsFixture.missing, "is", severity: $0) },
      unreadable: unreadable ? Fault(.fileTruncated, "ends early") : nil)
  }

  @Test(
    "the exit code is 1 at or above the threshold, 2 for what is fatal or unreadable",
    arguments: [
      ([], false, Severity.note, 0), ([.note], false, .note, 1), ([.note], false, .warning, 0),
      ([.warning], false, .error, 0), ([.warning, .error], false, .error, 1),
      ([.error], false, .fatal, 0), ([.fatal], false, .fatal, 2), ([], true, .fatal, 2),
      ([.note, .fatal], false, .error, 2),
    ] as [([Severity], Bool, Severity, Int32)])
  func exitCode(severities: [Severity], unreadable: Bool, failOn: Severity, code: Int32) {
    let report = ValidationReport(
      version: "1", files: [file([]), file(severities, unreadable: unreadable)])
    #expect(report.exitCode(failOn: failOn) == code)
  }

  @Test("a report without files is clean")
  func empty() {
    let report = ValidationReport(version: "1", files: [])
    #expect(report.exitCode(failOn: .note) == 0)
    #expect(report.summary == "0 files")
  }

  @Test("an unreadable file outweighs findings in other files")
  func unreadableWins() {
    let report = ValidationReport(
      version: "1", files: [file([.error]), file([], unreadable: true)])
    #expect(report.exitCode(failOn: .note) == 2)
  }

  @Test("files are sorted by path, findings by severity, rule, tensor and place")
  func order() {
    let report = ReportsFixture.report
    #expect(
      report.files.map(\.path) == [
        "models/broken.ckpt", "models/clean.safetensors", "models/evil.pt",
        "models/trunc.safetensors",
      ])
    let broken = report.files[0].findings
    #expect(
      broken.map(\.rule.id) == [String](repeating: "XX001", count: 7) + ["XX002", "XX003", "XX004"])
    #expect(broken[0].tensor == "model.out.0.weight")
    #expect(broken[6].tensor == "model.out.6.weight")
    let places = FileReport(
      path: "x",
      findings: [(9, "b"), (3, "b"), (3, "a"), (nil, "z")].map {
        Fault(ReportsFixture.missing, $0.1, offset: $0.0)
      })
    #expect(places.findings.map(\.message) == ["z", "a", "b", "b"])
  }

  @Test("the order of findings does not matter")
  func orderIndependence() throws {
    let shuffled = FileReport(
      path: "models/broken.ckpt", title: "Stable Diffusion 1.5",
      findings: ReportsFixture.broken.findings.reversed(), seconds: 1.234)
    #expect(shuffled == ReportsFixture.broken)
  }

  @Test("the summary counts files by status and findings by severity")
  func summary() {
    #expect(
      ReportsFixture.report.summary
        == "4 files: 1 clean, 1 with findings, 1 unsafe, 1 unreadable; "
        + "2 fatal findings, 8 errors, 1 warning, 1 note")
    #expect(
      ValidationReport(version: "1", files: [ReportsFixture.clean]).summary == "1 file: 1 clean")
  }
}
