import Inspection
import Testing

@Suite("Reports for a terminal")
struct ReportsTextTests {
  @Test("80 columns, three findings of a rule")
  func golden() {
    #expect(
      ReportsFixture.report.text() == """
        ! models/broken.ckpt  Stable Diffusion 1.5 · 1.23 s
          error    XX001  model.out.0.weight is missing: expected [4, 320]
                          model.out.1.weight is missing: expected [4, 320]
                          model.out.2.weight is missing: expected [4, 320]
                          … and 4 more, --all shows them
                        → the download may have been interrupted
          error    XX002  model.in.weight has the wrong shape: expected [320, 4, 3, 3],
                          found [320, 9, 3, 3]
                        → 9 input channels: this is an inpainting model
          warning  XX003  a.weight holds 12 NaN values (byte 123,456)
          note     XX004  holds EMA weights

        ✓ models/clean.safetensors  Stable Diffusion 1.5 · 0.31 s

        ✗ models/evil.pt
          fatal    XX005  would call a function: found os.system
                        → do not load it

        ✗ models/trunc.safetensors
          fatal    IO003  ends early: expected 9 bytes, found 1 (byte 4,096)

        4 files: 1 clean, 1 with findings, 1 unsafe, 1 unreadable; 2 fatal findings, 8
        errors, 1 warning, 1 note

        """)
  }

  @Test("40 columns put findings under their severity")
  func narrow() {
    let report = ValidationReport(version: "1", files: [ReportsFixture.broken])
    #expect(
      report.text(TextReportLayout(width: 40, limit: 1)) == """
        ! models/broken.ckpt
          Stable Diffusion 1.5 · 1.23 s
          error    XX001
            model.out.0.weight is missing:
            expected [4, 320]
            … and 6 more, --all shows them
          → the download may have been
            interrupted
          error    XX002
            model.in.weight has the wrong shape:
            expected [320, 4, 3, 3], found
            [320, 9, 3, 3]
          → 9 input channels: this is an
            inpainting model
          warning  XX003
            a.weight holds 12 NaN values
            (byte 123,456)
          note     XX004
            holds EMA weights

        1 file: 1 with findings; 8 errors, 1
        warning, 1 note

        """)
  }

  @Test("no line is longer than the terminal", arguments: [40, 80, 120])
  func width(width: Int) {
    var reports = [ReportsFixture.report]
    reports.append(ReportsFixture.report(attackedBy: String(repeating: "a long  name", count: 99)))
    reports.append(ReportsFixture.report(attackedBy: String(repeating: "長い", count: 999)))
    for report in reports {
      let text = report.text(TextReportLayout(width: width))
      for line in text.split(separator: "\n") {
        #expect(line.columns <= width, "\(line)")
        #expect(line.last != " ")
      }
    }
  }

  @Test("without a limit every finding is shown, and one more than the limit is too")
  func limit() {
    let report = ValidationReport(version: "1", files: [ReportsFixture.broken])
    func count(_ limit: Int?) -> Int {
      report.text(TextReportLayout(limit: limit)).split(separator: "is missing").count - 1
    }
    #expect(count(nil) == 7)
    #expect(count(6) == 7)
    #expect(count(5) == 5)
    #expect(count(0) == 1)
  }

  @Test("colour adds escape sequences and nothing else")
  func color() {
    let colored = ReportsFixture.report.text(TextReportLayout(style: .colored))
    #expect(colored.contains("\u{1B}[1;31mfatal\u{1B}[0m    \u{1B}[2mXX005\u{1B}[0m"))
    let sequence = /\u{1B}\[[0-9;]*m/
    #expect(colored.replacing(sequence, with: "") == ReportsFixture.report.text())
  }

  @Test("a terminal is coloured unless its user objects")
  func style() {
    func style(_ isTerminal: Bool, _ environment: [String: String]) -> Style {
      Style(isTerminal: isTerminal) { environment[$0] }
    }
    #expect(style(true, ["TERM": "xterm"]) == .colored)
    #expect(style(true, [:]) == .colored)
    #expect(style(true, ["NO_COLOR": ""]) == .colored)
    #expect(style(true, ["NO_COLOR": "1"]) == .plain)
    #expect(style(true, ["TERM": "dumb"]) == .plain)
    #expect(style(false, [:]) == .plain)
    #expect(style(false, ["FORCE_COLOR": "1"]) == .colored)
    #expect(style(false, ["FORCE_COLOR": "1", "NO_COLOR": "1"]) == .plain)
  }
}
