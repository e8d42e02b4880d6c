import Inspection
import JSON
import Tensors
import Testing

@Suite("Reports for programs")
struct ReportsFormatTests {
  private let report = ReportsFixture.report

  @Test("JSON has stable names and only known members")
  func json() throws {
    let small = ValidationReport(
      version: "1.0.0",
      files: [
        ReportsFixture.evil,
        FileReport(
          path: "x", title: "t",
          findings: [
            Fault(
              ReportsFixture.values, "holds NaN", offset: 8, byteCount: 2, tensor: "a/b",
              expected: "1", found: "2", hint: "h")
          ], seconds: 0.5),
      ])
    #expect(
      try small.json() == """
        {
          "schema": "sdtool-validation/1",
          "tool": {
            "name": "sdtool",
            "version": "1.0.0"
          },
          "summary": {
            "files": 2,
            "clean": 0,
            "findings": 1,
            "unsafe": 1,
            "unreadable": 0,
            "fatal": 1,
            "error": 0,
            "warning": 1,
            "note": 0
          },
          "files": [
            {
              "path": "models/evil.pt",
              "title": "",
              "status": "unsafe",
              "findings": [
                {
                  "rule": "XX005",
                  "severity": "fatal",
                  "title": "pickle calls a function",
                  "message": "would call a function: found os.system",
                  "found": "os.system",
                  "hint": "do not load it"
                }
              ]
            },
            {
              "path": "x",
              "title": "t",
              "status": "findings",
              "seconds": 0.5,
              "findings": [
                {
                  "rule": "XX003",
                  "severity": "warning",
                  "title": "NaN values",
                  "message": "'a/b' holds NaN: expected 1, found 2",
                  "tensor": "a/b",
                  "offset": 8,
                  "byteCount": 2,
                  "expected": "1",
                  "found": "2",
                  "hint": "h"
                }
              ]
            }
          ]
        }

        """)
  }

  @Test("names from files reach JSON as they are", arguments: ReportsFixture.attacks)
  func exactNames(attack: String) throws {
    let value = try JSONValue(parsing: ReportsFixture.report(attackedBy: attack).json())
    let file = value["files"]?.array?.first
    #expect(file?["path"] == .string("a" + attack))
    #expect(file?["findings"]?.array?.first?["tensor"] == .string(attack))
  }

  @Test("SARIF names every rule once and each result points to its rule")
  func sarif() throws {
    let log = try JSONValue(parsing: report.sarif(rules: [ReportsFixture.shape, .diskFull]))
    #expect(log["version"] == "2.1.0")
    let run = try #require(log["runs"]?.array?.first)
    let rules = try #require(run["tool"]?["driver"]?["rules"]?.array).map { $0["id"]?.string }
    #expect(rules == ["IO003", "IO006", "XX001", "XX002", "XX003", "XX004", "XX005"])
    let results = try #require(run["results"]?.array)
    #expect(results.count == 12)
    for result in results {
      let index = try #require(result["ruleIndex"]?.integer)
      #expect(rules[index] == result["ruleId"]?.string)
    }
    #expect(results.map { $0["level"]?.string }.suffix(4) == ["warning", "note", "error", "error"])
    let fingerprints = results.map { $0["partialFingerprints"]?["sdtoolFinding/v1"]?.string }
    #expect(Set(fingerprints).count == 12)
    let location = results[8]["locations"]?.array?.first
    #expect(
      location?["physicalLocation"]?["region"] == ["byteOffset": 123_456, "byteLength": 24])
    #expect(
      location?["logicalLocations"]
        == [["name": "a.weight", "fullyQualifiedName": "a.weight", "kind": "member"]])
    let notification = run["invocations"]?.array?.first?["toolExecutionNotifications"]?.array?.first
    #expect(notification?["associatedRule"]?["id"] == "IO003")
  }

  @Test("SARIF fingerprints survive new words and places, and tell equal findings apart")
  func fingerprints() throws {
    func fingerprints(_ faults: [Fault]) throws -> [String?] {
      let report = ValidationReport(version: "1", files: [FileReport(path: "x", findings: faults)])
      let results = report.sarifValue()["runs"]?.array?.first?["results"]?.array
      return try #require(results).map { $0["partialFingerprints"]?["sdtoolFinding/v1"]?.string }
    }
    let a = try fingerprints([Fault(ReportsFixture.values, "old words", offset: 1, tensor: "t")])
    let b = try fingerprints([Fault(ReportsFixture.values, "new words", offset: 2, tensor: "t")])
    #expect(a == b)
    let fault = Fault(ReportsFixture.values, "same")
    #expect(try Set(fingerprints([fault, fault])).count == 2)
  }

  @Test(
    "SARIF paths are relative URI references",
    arguments: [
      ("models/a.ckpt", "models/a.ckpt"), ("./a b.ckpt", "a%20b.ckpt"), ("a:b", "a%3Ab"),
      ("ü%#?\n", "%C3%BC%25%23%3F%0A"), ("/tmp/x y", "file:///tmp/x%20y"), ("../x", "../x"),
    ])
  func uris(path: String, uri: String) throws {
    let log = ValidationReport(version: "1", files: [FileReport(path: path)]).sarifValue()
    let artifact = log["runs"]?.array?.first?["artifacts"]?.array?.first
    #expect(artifact?["location"]?["uri"] == .string(uri))
  }

  @Test("JUnit has a suite for each file and a case for each rule")
  func junit() {
    let report = ValidationReport(
      version: "1", files: [ReportsFixture.broken, ReportsFixture.clean, ReportsFixture.truncated])
    #expect(
      report.junit(failOn: .error, limit: 2) == """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="sdtool validate" tests="6" failures="2" errors="1">
          <testsuite name="models/broken.ckpt" tests="4" failures="2" errors="0" skipped="0" \
        time="1.234">
            <testcase classname="models/broken.ckpt" name="XX001 missing tensor">
              <failure type="error" message="7 findings: missing tensor">\
        &apos;model.out.0.weight&apos; is missing: expected [4, 320]
        &apos;model.out.1.weight&apos; is missing: expected [4, 320]
          → the download may have been interrupted
        … and 5 more
        </failure>
            </testcase>
            <testcase classname="models/broken.ckpt" name="XX002 wrong shape">
              <failure type="error" message="&apos;model.in.weight&apos; has the wrong shape: \
        expected [320, 4, 3, 3], found [320, 9, 3, 3]">&apos;model.in.weight&apos; has the wrong \
        shape: expected [320, 4, 3, 3], found [320, 9, 3, 3]
          → 9 input channels: this is an inpainting model
        </failure>
            </testcase>
            <testcase classname="models/broken.ckpt" name="XX003 NaN values">
              <system-out>&apos;a.weight&apos; holds 12 NaN values (byte 123,456)
        </system-out>
            </testcase>
            <testcase classname="models/broken.ckpt" name="XX004 EMA weights">
              <system-out>holds EMA weights
        </system-out>
            </testcase>
          </testsuite>
          <testsuite name="models/clean.safetensors" tests="1" failures="0" errors="0" \
        skipped="0" time="0.310">
            <testcase classname="models/clean.safetensors" name="no findings"/>
          </testsuite>
          <testsuite name="models/trunc.safetensors" tests="1" failures="0" errors="1" skipped="0">
            <testcase classname="models/trunc.safetensors" name="IO003 file ends early">
              <error type="fatal" message="ends early: expected 9 bytes, found 1">ends early: \
        expected 9 bytes, found 1 (byte 4,096)
        </error>
            </testcase>
          </testsuite>
        </testsuites>

        """)
    #expect(report.junit(failOn: .warning).contains(#"failures="3""#))
  }

  @Test("GitHub gets one annotation for each rule and file")
  func gitHub() {
    #expect(
      report.gitHubCommands(limit: 2) == """
        ::error file=models/broken.ckpt,title=XX001 missing tensor (7)::'model.out.0.weight' is \
        missing: expected [4, 320]%0A'model.out.1.weight' is missing: expected [4, 320]%0A→ the \
        download may have been interrupted%0A… and 5 more
        ::error file=models/broken.ckpt,title=XX002 wrong shape::'model.in.weight' has the wrong \
        shape: expected [320, 4, 3, 3], found [320, 9, 3, 3]%0A→ 9 input channels: this is an \
        inpainting model
        ::warning file=models/broken.ckpt,title=XX003 NaN values::'a.weight' holds 12 NaN values
        ::notice file=models/broken.ckpt,title=XX004 EMA weights::holds EMA weights
        ::error file=models/evil.pt,title=XX005 pickle calls a function::would call a function: \
        found os.system%0A→ do not load it
        ::error file=models/trunc.safetensors,title=IO003 file ends early::ends early: expected 9 \
        bytes, found 1
        4 files: 1 clean, 1 with findings, 1 unsafe, 1 unreadable; 2 fatal findings, 8 errors, 1 \
        warning, 1 note

        """)
  }

  @Test("Markdown has a table for each file with findings")
  func markdown() {
    #expect(
      report.markdown(limit: 2) == """
        ## Model validation

        4 files: 1 clean, 1 with findings, 1 unsafe, 1 unreadable; 2 fatal findings, 8 errors, 1 \
        warning, 1 note

        ### ! `models/broken.ckpt`

        Stable Diffusion 1.5

        | Severity | Rule | Tensor | Finding |
        | --- | --- | --- | --- |
        | error | XX001 | `model.out.0.weight` | is missing: expected \\[4, 320\\] |
        | error | XX001 | `model.out.1.weight` | is missing: expected \\[4, 320\\]<br>*the download \
        may have been interrupted* |
        | error | XX001 | | *… and 5 more* |
        | error | XX002 | `model.in.weight` | has the wrong shape: expected \\[320, 4, 3, 3\\], \
        found \\[320, 9, 3, 3\\]<br>*9 input channels: this is an inpainting model* |
        | warning | XX003 | `a.weight` | holds 12 NaN values (byte 123,456) |
        | note | XX004 | | holds EMA weights |

        ### ✗ `models/evil.pt`

        | Severity | Rule | Tensor | Finding |
        | --- | --- | --- | --- |
        | fatal | XX005 | | would call a function: found os.system<br>*do not load it* |

        ### ✗ `models/trunc.safetensors`

        | Severity | Rule | Tensor | Finding |
        | --- | --- | --- | --- |
        | fatal | IO003 | | ends early: expected 9 bytes, found 1 (byte 4,096) |

        ### ✓ Clean

        - `models/clean.safetensors` — Stable Diffusion 1.5

        """)
  }

  @Test("every format is rendered, and ends with a line break", arguments: ReportFormat.allCases)
  func formats(format: ReportFormat) throws {
    let text = try report.rendered(as: format)
    #expect(text.hasSuffix("\n"))
    #expect(text.contains("broken.ckpt"))
    #expect(try report.rendered(as: format) == text)
  }
}
