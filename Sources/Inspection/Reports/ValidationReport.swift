public import Tensors

/// What a validation found in one file or folder.
public struct FileReport: Hashable, Sendable {
  /// The path, as the user named it or as it was found below a folder.
  public let path: String
  /// What it is, in a few words: `"Stable Diffusion 1.5, safetensors file"`; empty if unknown.
  public let title: String
  /// What was found, the gravest first.
  public let findings: [Fault]
  /// Why it could not be read, or could not be read to its end.
  public let unreadable: Fault?
  /// How long it took, if that is to be shown.
  public let seconds: Double?

  /// A report about the file at `path`; the findings are put in order.
  public init(
    path: String, title: String = "", findings: [Fault] = [], unreadable: Fault? = nil,
    seconds: Double? = nil
  ) {
    self.path = path
    self.title = title
    self.findings = findings.map { $0.relative(to: path) }.sorted(by: Fault.isGraver)
    self.unreadable = unreadable?.relative(to: path)
    self.seconds = seconds
  }

  /// What a file is after its validation.
  public enum Status: String, CaseIterable, Sendable {
    /// Nothing was found.
    case clean
    /// There are findings, none of them fatal.
    case findings
    /// It can be read, but must not be trusted.
    case unsafe
    /// It could not be read to its end.
    case unreadable
  }

  /// What the file is after its validation.
  public var status: Status {
    if unreadable != nil { return .unreadable }
    guard let gravest = findings.first else { return .clean }
    return gravest.severity == .fatal ? .unsafe : .findings
  }

  /// Why it could not be read, if so, then the findings.
  public var allFindings: [Fault] { (unreadable.map { [$0] } ?? []) + findings }

  /// ``allFindings``, those of the same rule and severity together.
  package var groups: [ArraySlice<Fault>] {
    var groups: [ArraySlice<Fault>] = unreadable.map { [[$0]] } ?? []
    var rest = findings[...]
    while let first = rest.first {
      let group = rest.prefix { $0.rule == first.rule && $0.severity == first.severity }
      groups.append(group)
      rest = rest.dropFirst(group.count)
    }
    return groups
  }
}

/// What a validation found in all files and folders: the one thing that every format shows.
///
///     let report = ValidationReport(version: "1.0.0", files: files)
///     print(try report.sarif())
///     exit(report.exitCode(failOn: .error))
public struct ValidationReport: Hashable, Sendable {
  /// The version of the tool that made it.
  public let version: String
  /// One report for each file or folder, sorted by path.
  public let files: [FileReport]
  /// What a baseline took away, if there was one.
  public let baseline: Baseline.Effect?

  /// A report; the files are put in order.
  public init(version: String, files: [FileReport], baseline: Baseline.Effect? = nil) {
    self.version = version
    self.files = files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    self.baseline = baseline
  }

  /// The process's exit code: 0 when there is nothing at or above `failOn`, 1 when there is, 2 when
  /// a file is unreadable or unsafe.
  public func exitCode(failOn: Severity) -> Int32 {
    var code: Int32 = 0
    for file in files {
      switch file.status {
      case .clean: break
      case .unsafe, .unreadable: return 2
      case .findings: if file.findings.contains(where: { $0.severity >= failOn }) { code = 1 }
      }
    }
    return code
  }

  /// The number of files of that status.
  public func count(_ status: FileReport.Status) -> Int { files.count { $0.status == status } }

  /// The number of findings of that severity, with those that made files unreadable.
  public func count(_ severity: Severity) -> Int {
    files.reduce(0) { $0 + $1.allFindings.count { $0.severity == severity } }
  }

  /// Every rule that was broken, once, by identifier.
  public var rules: [Rule] {
    var rules = Set<Rule>()
    for file in files { for fault in file.allFindings { rules.insert(fault.rule) } }
    return rules.sorted { $0.id < $1.id }
  }
}

extension Fault {
  /// Whether `a` comes first in a report: by severity, rule, tensor, place and words.
  static func isGraver(_ a: Fault, _ b: Fault) -> Bool {
    if a.severity != b.severity { return a.severity > b.severity }
    if a.rule.id != b.rule.id { return a.rule.id < b.rule.id }
    if a.tensor != b.tensor {
      guard let first = a.tensor, let second = b.tensor else { return a.tensor == nil }
      return first < second
    }
    if a.path != b.path { return a.path.utf8.lexicographicallyPrecedes(b.path.utf8) }
    if a.offset != b.offset { return (a.offset ?? -1) < (b.offset ?? -1) }
    return a.sentence.utf8.lexicographicallyPrecedes(b.sentence.utf8)
  }

  /// The sentence without the hint, as it may be shown to a person; in a folder, with the file.
  var statement: String {
    var copy = self
    copy.hint = nil
    let file = path.isEmpty ? "" : " (in \(path.sanitized(limit: 160)))"
    return copy.sentence.sanitized(limit: Self.statementLimit) + file
  }

  /// The same occurrence, its path as seen from the model at `root`; empty for the model itself.
  fileprivate func relative(to root: String) -> Fault {
    var copy = self
    if path.utf8.elementsEqual(root.utf8) {
      copy.path = ""
    } else if path.utf8.starts(with: (root + "/").utf8) {
      copy.path = String(decoding: path.utf8.dropFirst(root.utf8.count + 1), as: UTF8.self)
    }
    return copy
  }

  /// The longest sentence that is shown; names in a file may be as long as its header.
  private static let statementLimit = 1000
}
