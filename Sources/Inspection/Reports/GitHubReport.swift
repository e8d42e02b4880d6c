import Tensors

extension ValidationReport {
  /// The report as workflow commands, which GitHub Actions shows beside the files.
  ///
  /// GitHub shows ten annotations of each kind and step, so there is one for each rule and file; its
  /// text lists the first findings. A summary in plain words follows.
  ///
  /// Source: "Workflow commands for GitHub Actions", setting an error message.
  ///
  /// - Parameter limit: how many findings of one rule are listed for each file; `nil` for all.
  /// - Returns: the text, with a line break at its end.
  public func gitHubCommands(limit: Int? = 10) -> String {
    var text = ""
    for file in files {
      for group in file.groups {
        guard let first = group.first else { continue }
        let excerpt = Excerpt(group, limit: limit)
        var lines: [String] = []
        for item in excerpt.items {
          lines.append(item.fault.statement)
          if let hint = item.hint { lines.append("→ " + hint.sanitized) }
        }
        if let remark = excerpt.remark { lines.append(remark) }
        var title = "\(first.rule.id) \(first.rule.title)"
        if group.count > 1 { title += " (\(Written.count(group.count)))" }
        text += "::\(first.severity.gitHubCommand) "
        text += "file=\(property(file.path.sanitized)),title=\(property(title.sanitized))"
        text += "::\(data(lines.joined(separator: "\n")))\n"
      }
    }
    return text + summary + "\n"
  }
}

extension Severity {
  fileprivate var gitHubCommand: String {
    switch self {
    case .note: "notice"
    case .warning: "warning"
    case .error, .fatal: "error"
    }
  }
}

/// Text after the second `::`.
private func data(_ text: String) -> String { encoded(text, "%\r\n") }

/// Text after `file=` or `title=`.
private func property(_ text: String) -> String { encoded(text, "%\r\n:,") }

private func encoded(_ text: String, _ special: String) -> String {
  var result = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    if special.unicodeScalars.contains(scalar) {
      let digits = String(scalar.value, radix: 16, uppercase: true)
      result.append(contentsOf: ("%" + (digits.count < 2 ? "0" : "") + digits).unicodeScalars)
    } else {
      result.append(scalar)
    }
  }
  return String(result)
}
