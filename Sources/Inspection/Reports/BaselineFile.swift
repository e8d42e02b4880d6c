import JSON
public import Tensors

extension Rule {
  /// A file is not a baseline.
  public static let notBaseline = Rule(
    "BL001", .fatal, "not a baseline",
    "The file given with --baseline is not one that --write-baseline made, or was changed by hand "
      + "into something else. The message names the place. Write the baseline anew if in doubt.")

  /// All rules about baselines.
  public static let baselineRules: [Rule] = [.notBaseline]
}

extension Baseline {
  private static let schema = "sdtool-baseline/1"
  private static let maximumByteCount = 256 << 20

  /// Reads a baseline that ``serialized()`` wrote.
  ///
  /// - Throws: ``Rule/notBaseline``, or what is wrong with it as JSON.
  public init(parsing bytes: [UInt8]) throws(Fault) {
    let value = try JSONValue(
      parsing: bytes, maximumByteCount: Self.maximumByteCount, maximumValueCount: 5_000_000)
    guard value["schema"]?.string == Self.schema else {
      throw Fault(
        .notBaseline, "is not a baseline", expected: #""schema": "\#(Self.schema)""#,
        found: value["schema"].map { $0.string ?? $0.kind } ?? "none",
        hint: "make one with --write-baseline")
    }
    var fatalRules: [String] = []
    for (index, rule) in try Self.list(value, "acceptFatal").enumerated() {
      guard let id = rule.string else { throw Self.wrong("acceptFatal", index, "a rule id", rule) }
      fatalRules.append(id)
    }
    var entries: [Entry] = []
    for (index, entry) in try Self.list(value, "findings").enumerated() {
      guard let path = entry["path"]?.string, let rule = entry["rule"]?.string else {
        throw Self.wrong("findings", index, "an object with path and rule", entry)
      }
      var tensor: TensorName?
      if let value = entry["tensor"] {
        guard let name = value.string else {
          throw Self.wrong("findings", index, "a text as tensor", value)
        }
        tensor = TensorName(name)
      }
      var count = 1
      if let value = entry["count"] {
        guard let number = value.integer, number > 0 else {
          throw Self.wrong("findings", index, "a positive whole number as count", value)
        }
        count = number
      }
      entries.append(Entry(path: path, rule: rule, tensor: tensor, count: count))
    }
    self.init(entries: entries, acceptedFatalRules: fatalRules)
  }

  /// The baseline as a file: JSON, one member per line, sorted, so that it can be reviewed and
  /// merged like source code.
  public func serialized() throws(Fault) -> String {
    let value: JSONValue = [
      "schema": .string(Self.schema),
      "acceptFatal": .array(acceptedFatalRules.map { .string($0) }),
      "findings": .array(
        entries.map { entry in
          var object: JSONObject = ["path": .string(entry.path), "rule": .string(entry.rule)]
          if let tensor = entry.tensor { object["tensor"] = .string(tensor.string) }
          if entry.count > 1 { object["count"] = .integer(entry.count) }
          return .object(object)
        }),
    ]
    return try value.serialized(pretty: true) + "\n"
  }

  /// Reads the baseline at `path`.
  public init(path: String) throws(Fault) {
    do throws(Fault) {
      let file = try InputFile(path: path)
      // One byte beyond the limit is enough to be refused.
      let count = min(file.byteCount, Self.maximumByteCount + 1)
      try self.init(parsing: file.read(at: 0, count: count))
    } catch {
      throw error.at(path)
    }
  }

  /// Writes the baseline to `path`, in place of one that is there.
  public func write(to path: String) throws(Fault) {
    let bytes = Array(try serialized().utf8)
    let file = try OutputFile(path: path, byteCount: bytes.count, replacing: true)
    try unsafe file.write(bytes.span.bytes, at: 0)
    try file.commit()
  }

  /// The list under `key`, empty where there is none.
  private static func list(_ value: JSONValue, _ key: String) throws(Fault) -> [JSONValue] {
    guard let member = value[key] else { return [] }
    guard let list = member.array else {
      throw Fault(
        .notBaseline, "is not a baseline", expected: "a list under \"\(key)\"", found: member.kind)
    }
    return list
  }

  private static func wrong(
    _ list: String, _ index: Int, _ expected: String, _ found: JSONValue
  ) -> Fault {
    Fault(
      .notBaseline, "is damaged in \(list)[\(index)]", expected: expected, found: found.kind,
      hint: "write it anew with --write-baseline")
  }
}
