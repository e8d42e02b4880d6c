public import JSON
public import Tensors

extension ValidationReport {
  /// The report for programs, as JSON with a line break at its end.
  ///
  ///     {
  ///       "schema": "sdtool-validation/1",
  ///       "tool": { "name": "sdtool", "version": "1.0.0" },
  ///       "summary": { "files": 1, "clean": 0, "findings": 1, "unsafe": 0, "unreadable": 0,
  ///                    "fatal": 0, "error": 1, "warning": 0, "note": 0 },
  ///       "files": [{
  ///         "path": "model.safetensors", "title": "Stable Diffusion 1.5, safetensors file",
  ///         "status": "findings",      // clean, findings, unsafe or unreadable
  ///         "seconds": 0.31,           // where it was measured
  ///         "findings": [{             // the gravest first; why it is unreadable before all
  ///           "rule": "SD001", "severity": "error",   // fatal, error, warning or note
  ///           "title": "missing tensor", "message": "'a.weight' is missing: expected [4]",
  ///           // The rest only where it is known:
  ///           "tensor": "a.weight", "offset": 8, "byteCount": 2,
  ///           "expected": "[4]", "found": "nothing", "hint": "…"
  ///         }]
  ///       }],
  ///       "baseline": { "accepted": 3, "stale": [{ "path": "…", "rule": "…", "count": 1 }] }
  ///     }
  ///
  /// Members are added as the tool grows, never renamed or removed under the same schema. `message`
  /// is for people and may change; `path`, `file` (in a folder), `tensor`, `expected` and `found` are exact.
  public func json() throws(Fault) -> String { try jsonValue.serialized(pretty: true) + "\n" }

  /// The report as a JSON value; see ``json()``.
  public var jsonValue: JSONValue {
    var summary: JSONObject = ["files": .integer(files.count)]
    for status in FileReport.Status.allCases { summary[status.rawValue] = .integer(count(status)) }
    for severity in Severity.allCases.reversed() {
      summary[severity.rawValue] = .integer(count(severity))
    }
    var report: JSONObject = [
      "schema": "sdtool-validation/1",
      "tool": ["name": "sdtool", "version": .string(version)],
      "summary": .object(summary),
      "files": .array(files.map(\.jsonValue)),
    ]
    if let baseline {
      report["baseline"] = [
        "accepted": .integer(baseline.acceptedCount),
        "stale": .array(
          baseline.stale.map { entry in
            var object: JSONObject = ["path": .string(entry.path), "rule": .string(entry.rule)]
            if let tensor = entry.tensor { object["tensor"] = .string(tensor.string) }
            object["count"] = .integer(entry.count)
            return .object(object)
          }),
      ]
    }
    return .object(report)
  }
}

extension FileReport {
  fileprivate var jsonValue: JSONValue {
    var object: JSONObject = [
      "path": .string(path), "title": .string(title), "status": .string(status.rawValue),
    ]
    if let seconds { object["seconds"] = .double(seconds) }
    object["findings"] = .array(allFindings.map(\.jsonValue))
    return .object(object)
  }
}

extension Fault {
  /// The finding as a JSON value, without the path of the model.
  package var jsonValue: JSONValue {
    var object: JSONObject = [
      "rule": .string(rule.id), "severity": .string(severity.rawValue),
      "title": .string(rule.title), "message": .string(statement),
    ]
    if !path.isEmpty { object["file"] = .string(path) }
    if let tensor { object["tensor"] = .string(tensor.string) }
    if let offset { object["offset"] = .integer(offset) }
    if let byteCount { object["byteCount"] = .integer(byteCount) }
    if let expected { object["expected"] = .string(expected) }
    if let found { object["found"] = .string(found) }
    if let hint { object["hint"] = .string(hint) }
    return .object(object)
  }
}
