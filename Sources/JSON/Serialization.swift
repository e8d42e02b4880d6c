import CJSON
public import Tensors

extension JSONValue {
  /// The value as JSON text, without a line break at its end.
  ///
  /// The same value always gives the same bytes: members in their order, numbers in the shortest
  /// form that reads back as the same number, slashes not escaped. Numbers that JSON cannot
  /// express (infinities, NaN) become `null`. A NUL character in the name of a member becomes
  /// U+2400 (`␀`), because json-c ends names there; in values it is kept.
  ///
  /// - Parameter pretty: whether to write one member or element per line, indented by two spaces.
  /// - Throws: ``Rule/jsonTooLarge`` when the text could exceed 2 GiB, which json-c cannot write.
  public func serialized(pretty: Bool = false) throws(Fault) -> String {
    guard sizeLimit(depth: 0) < Int(CInt.max) else {
      throw Fault(
        .jsonTooLarge, "would be more than 2 GiB of JSON", hint: "write less of it at a time")
    }
    let tree = Tree(self)
    var flags = JSON_C_TO_STRING_NOSLASHESCAPE
    if pretty { flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED }
    guard let text = tree.text(flags: flags) else {
      throw Fault(.jsonTooLarge, "does not fit into memory as JSON")
    }
    return text
  }

  /// No fewer bytes than the text will have, in either form.
  private func sizeLimit(depth: Int) -> Int {
    switch self {
    case .null, .bool: 5
    case .integer, .double: 32
    case .string(let text): Self.sizeLimit(text)
    case .array(let elements):
      elements.reduce(4 + 2 * depth) { $0 + $1.sizeLimit(depth: depth + 1) + 2 * depth + 4 }
    case .object(let members):
      members.reduce(4 + 2 * depth) {
        $0 + Self.sizeLimit($1.key) + $1.value.sizeLimit(depth: depth + 1) + 2 * depth + 6
      }
    }
  }

  private static func sizeLimit(_ text: String) -> Int {
    text.utf8.reduce(2) { $0 + ($1 < 0x20 || $1 == 0x22 || $1 == 0x5C ? 6 : 1) }
  }
}
