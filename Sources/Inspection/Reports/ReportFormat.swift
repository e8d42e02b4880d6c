package import Tensors

/// The formats in which a validation can be reported.
public enum ReportFormat: String, CaseIterable, Sendable {
  /// For a person at a terminal.
  case text
  /// For programs, with a schema of our own.
  case json
  /// For code scanning services.
  case sarif
  /// For CI servers that show test results.
  case junit
  /// For GitHub Actions: annotations beside the files.
  case github
  /// For comments and job summaries.
  case markdown
}

extension ValidationReport {
  /// The report in a format, with a line break at its end.
  ///
  /// - Parameters:
  ///   - format: the format.
  ///   - layout: the layout of the text format.
  ///   - failOn: the least severity that JUnit's format calls a failure.
  ///   - rules: the rules that SARIF describes beside those that were broken.
  /// - Returns: the report.
  /// - Throws: ``Rule/jsonTooLarge`` when JSON or SARIF would exceed 2 GiB.
  package func rendered(
    as format: ReportFormat, layout: TextReportLayout = TextReportLayout(),
    failOn: Severity = .error, rules: [Rule] = []
  ) throws(Fault) -> String {
    switch format {
    case .text: text(layout)
    case .json: try json()
    case .sarif: try sarif(rules: rules)
    case .junit: junit(failOn: failOn)
    case .github: gitHubCommands()
    case .markdown: markdown()
    }
  }
}
