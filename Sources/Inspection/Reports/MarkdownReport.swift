import Tensors

extension ValidationReport {
  /// The report as GitHub-flavoured Markdown: a summary and one table for each file with findings.
  ///
  /// - Parameter limit: how many findings of one rule are shown for each file; `nil` for all.
  /// - Returns: the text, with a line break at its end.
  public func markdown(limit: Int? = 20) -> String {
    var text = "## Model validation\n\n\(markdownEscaped(summary))\n"
    let clean = files.filter { $0.status == .clean }
    for file in files where file.status != .clean {
      text += "\n### \(file.status.mark) \(markdownCode(file.path))\n\n"
      if !file.title.isEmpty { text += "\(markdownEscaped(file.title))\n\n" }
      text += "| Severity | Rule | Tensor | Finding |\n| --- | --- | --- | --- |\n"
      for group in file.groups {
        let excerpt = Excerpt(group, limit: limit)
        for item in excerpt.items { text += Self.row(item) }
        if let remark = excerpt.remark, let fault = group.first {
          text += "| \(fault.severity.rawValue) | \(fault.rule.id) | | *\(remark)* |\n"
        }
      }
    }
    if !clean.isEmpty {
      text += "\n### ✓ Clean\n\n"
      for file in clean {
        let title = file.title.isEmpty ? "" : " — " + markdownEscaped(file.title)
        text += "- \(markdownCode(file.path))\(title)\n"
      }
    }
    if let baseline, !baseline.stale.isEmpty {
      text += "\n### Baseline entries that have gone\n\n| Rule | File | Tensor | Count |\n"
      text += "| --- | --- | --- | ---: |\n"
      for entry in baseline.stale {
        text += "| \(markdownEscaped(entry.rule)) | \(markdownCode(entry.path)) | "
        text += (entry.tensor.map { markdownCode($0.string) + " " } ?? "")
        text += "| \(Written.count(entry.count)) |\n"
      }
    }
    return text
  }

  private static func row(_ item: Excerpt.Item) -> String {
    let fault = item.fault
    var bare = fault
    bare.tensor = nil
    var finding = markdownEscaped(bare.statement)
    if let offset = fault.offset { finding += " (byte \(Written.count(offset)))" }
    if let hint = item.hint { finding += "<br>*\(markdownEscaped(hint))*" }
    let tensor = fault.tensor.map { markdownCode($0.string) + " " } ?? ""
    return "| \(fault.severity.rawValue) | \(fault.rule.id) | \(tensor)| \(finding) |\n"
  }
}

/// Text that Markdown shows as it is: no markup, HTML, mention, reference or link.
package func markdownEscaped(_ text: String) -> String {
  var result = ""
  for character in text.sanitized.unicodeScalars {
    switch character {
    case "\\", "`", "*", "_", "{", "}", "[", "]", "#", "|", "~", "!", "$":
      result.unicodeScalars.append("\\")
      result.unicodeScalars.append(character)
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "&": result += "&amp;"
    // An empty comment keeps GitHub from seeing a mention, an address or a domain.
    case "@": result += "@<!-- -->"
    case "/" where result.hasSuffix(":"): result += "<!-- -->/"
    case "." where result.hasSuffix("www"): result += "<!-- -->."
    default: result.unicodeScalars.append(character)
    }
  }
  return result
}

/// Text as code, inside of a table too: delimited by more backticks than it has in a row.
package func markdownCode(_ text: String) -> String {
  let text = text.sanitized(limit: 200)
  var longest = 0, run = 0
  for byte in text.utf8 {
    run = byte == UInt8(ascii: "`") ? run + 1 : 0
    longest = max(longest, run)
  }
  let fence = String(repeating: "`", count: longest + 1)
  let pad = longest > 0 || text.isEmpty ? " " : ""
  var escaped = ""
  for scalar in text.unicodeScalars {
    if scalar == "|" { escaped += "\\" }
    escaped.unicodeScalars.append(scalar)
  }
  return fence + pad + escaped + pad + fence
}
