/// What a piece of text is, which decides how it looks.
package enum Ink: Sendable {
  /// Ordinary text.
  case plain
  /// What the eye should find first: a path, a total.
  case strong
  /// What may be overlooked: units, rule ids, remarks.
  case faint
  /// A name out of a file.
  case name
  /// All is well.
  case good
  /// Something to know.
  case note
  /// Something to look at.
  case caution
  /// Something wrong.
  case bad
  /// Something dangerous.
  case alarm

  /// The parameters of ECMA-48's SGR sequence, with colours that are legible on light and dark.
  fileprivate var code: String {
    switch self {
    case .plain: ""
    case .strong: "1"
    case .faint: "2"
    case .name: "36"
    case .good: "32"
    case .note: "34"
    case .caution: "33"
    case .bad: "31"
    case .alarm: "1;31"
    }
  }
}

/// Whether text is coloured.
///
///     let style = Style(isTerminal: isatty(1) != 0) { name in getenv(name) … }
///     print(style.paint("no findings", .good))
package enum Style: Sendable {
  /// Text alone.
  case plain
  /// With escape sequences that terminals take for colours.
  case colored

  /// The style for an output: colours on a terminal, unless its user does not want them.
  ///
  /// `NO_COLOR` (no-color.org) or `TERM=dumb` forbid colours, `FORCE_COLOR` asks for them where
  /// the output is not a terminal.
  package init(isTerminal: Bool, environment: (String) -> String?) {
    func isSet(_ name: String) -> Bool { environment(name).map { !$0.isEmpty } ?? false }
    if isSet("NO_COLOR") {
      self = .plain
    } else if isSet("FORCE_COLOR") {
      self = .colored
    } else {
      self = isTerminal && environment("TERM") != "dumb" ? .colored : .plain
    }
  }

  /// `text`, which must be sanitized, in the look of `ink`.
  package func paint(_ text: String, _ ink: Ink) -> String {
    guard self == .colored, ink != .plain, !text.isEmpty else { return text }
    return "\u{1B}[\(ink.code)m\(text)\u{1B}[0m"
  }
}
