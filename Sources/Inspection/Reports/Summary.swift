import Tensors

extension ValidationReport {
  /// What was found, in one line: `3 files: 1 clean, 1 with findings, 1 unreadable; 2 errors`.
  public var summary: String { styledSummary.plain }

  /// ``summary``, coloured.
  package var styledSummary: StyledText {
    let states: [StyledText] = FileReport.Status.allCases.compactMap { status in
      let count = count(status)
      return count == 0 ? nil : "\("\(Written.count(count)) \(status.words)", status.ink)"
    }
    let findings: [StyledText] = Severity.allCases.reversed().compactMap { severity in
      let count = count(severity)
      return count == 0 ? nil : StyledText(Written.count(count, severity.noun), severity.ink)
    }
    var text: StyledText = "\(Written.count(files.count, "file"), .strong)"
    if !states.isEmpty { text += ": " + Self.list(states) }
    if !findings.isEmpty { text += "; " + Self.list(findings) }
    if let baseline, baseline.acceptedCount > 0 {
      text += "\("; \(Written.count(baseline.acceptedCount)) accepted by the baseline", .faint)"
    }
    return text
  }

  private static func list(_ parts: [StyledText]) -> StyledText {
    var text = StyledText()
    for (index, part) in parts.enumerated() { text += index == 0 ? part : ", " + part }
    return text
  }
}

extension FileReport.Status {
  /// How it is said in a summary.
  fileprivate var words: String { self == .findings ? "with findings" : rawValue }

  /// How it looks.
  package var ink: Ink {
    switch self {
    case .clean: .good
    case .findings: .caution
    case .unsafe, .unreadable: .alarm
    }
  }

  /// One character that says it.
  package var mark: String {
    switch self {
    case .clean: "✓"
    case .findings: "!"
    case .unsafe, .unreadable: "✗"
    }
  }
}

extension Severity {
  /// What one such finding is called.
  fileprivate var noun: String { self == .fatal ? "fatal finding" : rawValue }

  /// How it looks.
  package var ink: Ink {
    switch self {
    case .note: .note
    case .warning: .caution
    case .error: .bad
    case .fatal: .alarm
    }
  }
}
