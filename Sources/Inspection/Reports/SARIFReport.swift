public import JSON
public import Tensors

extension ValidationReport {
  /// The report in the Static Analysis Results Interchange Format 2.1.0, as JSON with a line break
  /// at its end.
  ///
  /// Source: OASIS, SARIF Version 2.1.0, and its JSON schema.
  ///
  /// - Parameter rules: the rules to describe beside those that were broken, sorted or not.
  /// - Returns: the text.
  /// - Throws: ``Rule/jsonTooLarge`` when it would exceed 2 GiB.
  public func sarif(rules: [Rule] = []) throws(Fault) -> String {
    try sarifValue(rules: rules).serialized(pretty: true) + "\n"
  }

  /// The report as a SARIF log; see ``sarif(rules:)``.
  public func sarifValue(rules: [Rule] = []) -> JSONValue {
    let described = Set(rules).union(self.rules).sorted { $0.id < $1.id }
    var indices: [String: Int] = [:]
    for (index, rule) in described.enumerated() { indices[rule.id] = index }

    var artifacts: [JSONValue] = [], results: [JSONValue] = [], notifications: [JSONValue] = []
    for (index, file) in files.enumerated() {
      let artifact: JSONObject = ["uri": .string(uri(file.path)), "index": .integer(index)]
      artifacts.append(["location": ["uri": .string(uri(file.path))]])
      var occurrences: [String: Int] = [:]
      for fault in file.allFindings {
        let identity = Self.identity(of: fault, in: file)
        occurrences[identity, default: 0] += 1
        results.append(
          Self.result(
            fault, artifact, ruleIndex: indices[fault.rule.id] ?? -1,
            fingerprint: "\(identity):\(occurrences[identity, default: 1])"))
      }
      if let fault = file.unreadable {
        notifications.append([
          "level": "error", "message": ["text": .string(messageText(fault.statement))],
          "associatedRule": [
            "id": .string(fault.rule.id), "index": .integer(indices[fault.rule.id] ?? -1),
          ],
          "locations": [["physicalLocation": ["artifactLocation": .object(artifact)]]],
        ])
      }
    }
    var invocation: JSONObject = ["executionSuccessful": true]
    if !notifications.isEmpty { invocation["toolExecutionNotifications"] = .array(notifications) }
    return [
      "$schema":
        "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
      "version": "2.1.0",
      "runs": [
        [
          "tool": [
            "driver": [
              "name": "sdtool", "version": .string(version),
              "rules": .array(described.map(Self.descriptor)),
            ]
          ],
          "columnKind": "unicodeCodePoints",
          "invocations": [.object(invocation)],
          "artifacts": .array(artifacts),
          "results": .array(results),
        ]
      ],
    ]
  }

  private static func descriptor(_ rule: Rule) -> JSONValue {
    [
      "id": .string(rule.id),
      "shortDescription": ["text": .string(rule.title)],
      "fullDescription": ["text": .string(rule.explanation)],
      "help": ["text": .string(rule.explanation)],
      "defaultConfiguration": ["level": .string(rule.severity.sarifLevel)],
      "properties": ["severity": .string(rule.severity.rawValue)],
    ]
  }

  private static func result(
    _ fault: Fault, _ artifact: JSONObject, ruleIndex: Int, fingerprint: String
  ) -> JSONValue {
    var physical: JSONObject = ["artifactLocation": .object(artifact)]
    if let offset = fault.offset, offset >= 0 {
      var region: JSONObject = ["byteOffset": .integer(offset)]
      if let count = fault.byteCount, count >= 0 { region["byteLength"] = .integer(count) }
      physical["region"] = .object(region)
    }
    var location: JSONObject = ["physicalLocation": .object(physical)]
    if let tensor = fault.tensor {
      location["logicalLocations"] = [
        [
          "name": .string(tensor.string), "fullyQualifiedName": .string(tensor.string),
          "kind": "member",
        ]
      ]
    }
    var text = fault.statement
    if let hint = fault.hint { text += ". Hint: " + hint.sanitized }
    return [
      "ruleId": .string(fault.rule.id), "ruleIndex": .integer(ruleIndex),
      "level": .string(fault.severity.sarifLevel),
      "message": ["text": .string(messageText(text))],
      "locations": [.object(location)],
      "partialFingerprints": [
        // The name that GitHub looks for, and one of our own.
        "primaryLocationLineHash": .string(fingerprint), "sdtoolFinding/v1": .string(fingerprint),
      ],
      "properties": ["severity": .string(fault.severity.rawValue)],
    ]
  }

  /// What stays the same when messages and positions change: a digest of rule, path and tensor.
  private static func identity(of fault: Fault, in file: FileReport) -> String {
    // FNV-1a with 64 bits: the file names findings apart, it does not prove anything.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for part in [fault.rule.id, file.path, fault.tensor?.string ?? ""] {
      for byte in Array(part.utf8) + [0] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension Severity {
  /// SARIF knows nothing worse than an error.
  fileprivate var sarifLevel: String { self == .fatal ? "error" : rawValue }
}

/// Text as SARIF wants it in messages: braces, which stand for arguments, are doubled, and nothing
/// out of a file can become a link.
///
/// Source: SARIF 2.1.0, sections 3.11.5 and 3.11.6.
private func messageText(_ text: String) -> String {
  var result = String.UnicodeScalarView()
  var previous: UnicodeScalar = " "
  for scalar in text.unicodeScalars {
    if scalar == "{" || scalar == "}" { result.append(scalar) }
    if scalar == "(", previous == "]" { result.append(" ") }
    result.append(scalar)
    previous = scalar
  }
  return String(result)
}

/// A path as a relative URI reference, or a `file:` URI if it is absolute.
///
/// Source: RFC 3986, sections 2.3 and 3.3.
private func uri(_ path: String) -> String {
  var result = ""
  for byte in path.utf8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
      result.unicodeScalars.append(UnicodeScalar(byte))
    default:
      let digits = String(byte, radix: 16, uppercase: true)
      result += (digits.count < 2 ? "%0" : "%") + digits
    }
  }
  if path.hasPrefix("/") { return "file://" + result }
  while result.hasPrefix("./") { result.removeFirst(2) }
  return result
}
