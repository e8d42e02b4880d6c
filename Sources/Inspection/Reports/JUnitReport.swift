public import Tensors

extension ValidationReport {
  /// The report as JUnit XML, which Jenkins, GitLab and others show as test results.
  ///
  /// Each file is a test suite, each rule that was broken a test case in it. What is fatal counts as
  /// an error, what is at or above `failOn` as a failure, the rest passes with output. A clean file
  /// has one case that passes.
  ///
  /// Source: the schema `junit-10.xsd` of Jenkins' xUnit plugin.
  ///
  /// - Parameters:
  ///   - failOn: the least severity that counts as a failure.
  ///   - limit: how many findings of one rule are listed for each file; `nil` for all.
  /// - Returns: the text, with a line break at its end.
  public func junit(failOn: Severity = .error, limit: Int? = 100) -> String {
    var suites = ""
    var total = Tally()
    for file in files { suites += Self.suite(file, failOn: failOn, limit: limit, &total) }
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites name="sdtool validate" \(total.attributes)>
      \(suites)</testsuites>

      """
  }

  private struct Tally {
    var tests = 0, failures = 0, errors = 0
    var attributes: String { #"tests="\#(tests)" failures="\#(failures)" errors="\#(errors)""# }
  }

  private static func suite(
    _ file: FileReport, failOn: Severity, limit: Int?, _ total: inout Tally
  ) -> String {
    let path = xmlEscaped(file.path)
    var tally = Tally(), cases = ""
    for group in file.groups {
      guard let first = group.first else { continue }
      tally.tests += 1
      let element: String
      if first.severity == .fatal {
        tally.errors += 1
        element = "error"
      } else if first.severity >= failOn {
        tally.failures += 1
        element = "failure"
      } else {
        element = "system-out"
      }
      let name = xmlEscaped("\(first.rule.id) \(first.rule.title)")
      cases += "    <testcase classname=\"\(path)\" name=\"\(name)\">\n      <\(element)"
      if element != "system-out" {
        let message =
          group.count == 1
          ? first.statement : Written.count(group.count, "finding") + ": " + first.rule.title
        cases += " type=\"\(first.severity.rawValue)\" message=\"\(xmlEscaped(message))\""
      }
      cases += ">"
      let excerpt = Excerpt(group, limit: limit)
      for item in excerpt.items {
        cases += xmlEscaped(item.fault.statement)
        if let offset = item.fault.offset { cases += " (byte \(Written.count(offset)))" }
        if let hint = item.hint { cases += "\n  → " + xmlEscaped(hint) }
        cases += "\n"
      }
      if let remark = excerpt.remark { cases += remark + "\n" }
      cases += "</\(element)>\n    </testcase>\n"
    }
    if cases.isEmpty {
      tally.tests = 1
      cases = "    <testcase classname=\"\(path)\" name=\"no findings\"/>\n"
    }
    total.tests += tally.tests
    total.failures += tally.failures
    total.errors += tally.errors
    let time = file.seconds.map { " time=\"\(Written.decimal(max(0, $0), digits: 3))\"" } ?? ""
    return "  <testsuite name=\"\(path)\" \(tally.attributes) skipped=\"0\"\(time)>\n\(cases)"
      + "  </testsuite>\n"
  }
}

/// Text for an attribute or between tags: no markup, and no character that XML 1.0 forbids, since
/// sanitizing makes those visible.
private func xmlEscaped(_ text: String) -> String {
  var result = ""
  for scalar in text.sanitized.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&apos;"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
