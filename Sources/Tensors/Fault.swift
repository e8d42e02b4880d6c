/// How much a finding matters.
public enum Severity: String, CaseIterable, Comparable, Sendable {
  /// Worth knowing; nothing is wrong.
  case note
  /// The file works, but not as its user would expect.
  case warning
  /// The model is incomplete or damaged.
  case error
  /// The file cannot be read, or must not be trusted.
  case fatal

  /// Whether `a` matters less than `b`.
  public static func < (a: Severity, b: Severity) -> Bool { a.rank < b.rank }

  private var rank: Int {
    switch self {
    case .note: 0
    case .warning: 1
    case .error: 2
    case .fatal: 3
    }
  }
}

/// One thing that can be wrong with a model file, under an identifier that never changes meaning.
///
/// Identifiers begin with the family: `IO` files, `ST` safetensors, `PT` PyTorch checkpoints,
/// `DF` folders, `SD` the model itself, `JS` JSON texts, `BL` baselines, `DR` pictures.
public struct Rule: Hashable, Sendable {
  /// The stable identifier, for example `"ST002"`.
  public let id: String
  /// How much an occurrence matters, unless it says otherwise.
  public let severity: Severity
  /// A few words, for lists.
  public let title: String
  /// What it means, how it comes about, and what to do: a short paragraph.
  public let explanation: String

  /// A rule whose `id` no other rule has.
  public init(_ id: String, _ severity: Severity, _ title: String, _ explanation: String) {
    self.id = id
    self.severity = severity
    self.title = title
    self.explanation = explanation
  }

  /// Whether the identifiers are the same.
  public static func == (a: Rule, b: Rule) -> Bool { a.id == b.id }
  /// Hashes the identifier.
  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// One occurrence of a rule: what is wrong, where, what was expected and found, and what to do.
///
/// Thrown where reading cannot go on; collected where it can.
public struct Fault: Error, Hashable, Sendable {
  /// The rule that was broken.
  public var rule: Rule
  /// How much it matters here.
  public var severity: Severity
  /// One clause that says what is wrong, without file or tensor name.
  public var message: String
  /// The file, as the user named it or as it was found below a folder; empty until known.
  public var path = ""
  /// Where in the file, in bytes from its start.
  public var offset: Int?
  /// How many bytes are concerned, from ``offset``.
  public var byteCount: Int?
  /// The tensor concerned.
  public var tensor: TensorName?
  /// What should have been there.
  public var expected: String?
  /// What was there instead.
  public var found: String?
  /// What the user can do.
  public var hint: String?

  /// An occurrence of `rule`.
  public init(
    _ rule: Rule, _ message: String, severity: Severity? = nil, path: String = "",
    offset: Int? = nil, byteCount: Int? = nil, tensor: TensorName? = nil, expected: String? = nil,
    found: String? = nil, hint: String? = nil
  ) {
    self.rule = rule
    self.severity = severity ?? rule.severity
    self.message = message
    self.path = path
    self.offset = offset
    self.byteCount = byteCount
    self.tensor = tensor
    self.expected = expected
    self.found = found
    self.hint = hint
  }

  /// The same occurrence, in the file `path` unless it already names one.
  public func at(_ path: String) -> Fault {
    guard self.path.isEmpty else { return self }
    var copy = self
    copy.path = path
    return copy
  }
}

extension Fault: CustomStringConvertible {
  /// The message with tensor, expectation and hint, without the file:
  /// `'a.weight' has the wrong shape: expected [4], found [5]; hint`.
  public var sentence: String {
    var text = tensor.map { "'\($0)' " } ?? ""
    text += message
    switch (expected, found) {
    case (let expected?, let found?): text += ": expected \(expected), found \(found)"
    case (let expected?, nil): text += ": expected \(expected)"
    case (nil, let found?): text += ": found \(found)"
    case (nil, nil): break
    }
    if let hint { text += "; " + hint }
    return text
  }

  /// The whole occurrence in one line: file, rule, sentence, position.
  public var description: String {
    var text = path.isEmpty ? "" : path + ": "
    text += sentence
    if let offset { text += " (at byte \(offset))" }
    return text + " [\(rule.id)]"
  }
}
