public import Tensors

/// Findings that are known and accepted, so that only new ones count.
///
///     let known = try Baseline(parsing: bytes)
///     let report = known.applied(to: report)
///     let renewed = Baseline(accepting: report)
///
/// A finding is known by its rule, path and tensor; its words may change from one version of the
/// tool to the next. Where several findings share these three, as many are accepted as were
/// recorded.
///
/// Fatal findings are different, since they say that a file must not be trusted: they are accepted
/// only if their rule is named in ``acceptedFatalRules``, which no tool adds to by itself. A file
/// that cannot be read is never accepted, as nobody knows what else is in it.
public struct Baseline: Hashable, Sendable {
  /// One or more findings that are accepted.
  public struct Entry: Hashable, Sendable {
    /// The file, relative to where the tool was run.
    public let path: String
    /// The identifier of the rule.
    public let rule: String
    /// The tensor concerned.
    public let tensor: TensorName?
    /// How many such findings are accepted.
    public let count: Int

    /// An entry for `count` findings.
    public init(path: String, rule: String, tensor: TensorName? = nil, count: Int = 1) {
      self.path = Baseline.normalized(path)
      self.rule = rule
      self.tensor = tensor
      self.count = count
    }
  }

  /// What a baseline did to a report.
  public struct Effect: Hashable, Sendable {
    /// How many findings it took away.
    public let acceptedCount: Int
    /// What it lists that was not found, in files that were examined.
    public let stale: [Entry]
  }

  /// What is accepted: sorted, without duplicates.
  public let entries: [Entry]
  /// The identifiers of rules whose fatal findings are accepted too, sorted.
  public let acceptedFatalRules: [String]

  /// A baseline of the given entries; those that concern the same are added up.
  public init(entries: [Entry], acceptedFatalRules: [String] = []) {
    var counts: [Key: Int] = [:]
    for entry in entries where entry.count > 0 {
      let (sum, overflow) = counts[Key(entry), default: 0].addingReportingOverflow(entry.count)
      counts[Key(entry)] = overflow ? .max : sum
    }
    self.entries = Self.entries(counts)
    self.acceptedFatalRules = Set(acceptedFatalRules).sorted()
  }

  /// A baseline that accepts what is in `report`, except what is fatal and of another rule than
  /// `fatalRules`.
  public init(accepting report: ValidationReport, fatalRules: [String] = []) {
    self.init(
      entries: report.files.flatMap { file in
        file.findings.filter { $0.severity < .fatal || fatalRules.contains($0.rule.id) }.map {
          Entry(path: file.path, rule: $0.rule.id, tensor: $0.tensor)
        }
      }, acceptedFatalRules: fatalRules)
  }

  /// `report` without the findings that are accepted, and with what the baseline did.
  ///
  /// Entries about files that are not in the report are left alone: they may be examined another
  /// time.
  public func applied(to report: ValidationReport) -> ValidationReport {
    var left: [Key: Int] = [:]
    for entry in entries { left[Key(entry)] = entry.count }
    var acceptedCount = 0
    let files = report.files.map { file in
      let path = Self.normalized(file.path)
      let findings = file.findings.filter { fault in
        guard fault.severity < .fatal || acceptedFatalRules.contains(fault.rule.id) else {
          return true
        }
        let key = Key(path: path, rule: fault.rule.id, tensor: fault.tensor)
        guard let count = left[key], count > 0 else { return true }
        left[key] = count - 1
        acceptedCount += 1
        return false
      }
      return FileReport(
        path: file.path, title: file.title, findings: findings, unreadable: file.unreadable,
        seconds: file.seconds)
    }
    // What was not reached in a file that could not be read to its end may still be there.
    let examined = Set(
      report.files.filter { $0.unreadable == nil }.map { Self.normalized($0.path) })
    let stale = Self.entries(left.filter { $0.value > 0 && examined.contains($0.key.path) })
    return ValidationReport(
      version: report.version, files: files,
      baseline: Effect(acceptedCount: acceptedCount, stale: stale))
  }

  /// What tells findings apart.
  private struct Key: Hashable {
    let path: String, rule: String, tensor: TensorName?

    init(path: String, rule: String, tensor: TensorName?) {
      self.path = path
      self.rule = rule
      self.tensor = tensor
    }

    init(_ entry: Entry) { self.init(path: entry.path, rule: entry.rule, tensor: entry.tensor) }
  }

  private static func entries(_ counts: [Key: Int]) -> [Entry] {
    counts.map { Entry(path: $0.path, rule: $0.rule, tensor: $0.tensor, count: $1) }.sorted {
      if $0.path != $1.path { return $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
      if $0.rule != $1.rule { return $0.rule < $1.rule }
      guard let first = $0.tensor, let second = $1.tensor else { return $1.tensor != nil }
      return first < second
    }
  }

  /// A path without `./`, doubled slashes and a slash at its end, so that one file has one spelling.
  private static func normalized(_ path: String) -> String {
    let parts = path.split(separator: "/").filter { $0 != "." }
    return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
  }
}
