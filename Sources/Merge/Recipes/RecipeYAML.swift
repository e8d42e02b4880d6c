import JSON
import Tensors
import Yams

extension RecipeNode {
  /// The largest recipe that is read, in bytes.
  static let maximumByteCount = 1 << 20
  /// How deep maps and lists may lie in each other.
  private static let maximumDepth = 32

  /// Reads a YAML document.
  ///
  /// Anchors and aliases are refused, as they let a short text stand for an endless tree.
  ///
  /// - Throws: ``Tensors/Rule/recipeSyntax`` with the line.
  init(yaml text: String) throws(Fault) {
    guard text.utf8.count <= Self.maximumByteCount else {
      throw Fault(
        .recipeSyntax, "is too large for a recipe",
        expected: "at most \(Self.maximumByteCount) bytes", found: "\(text.utf8.count)")
    }
    try Self.checkShape(text)
    let root: Node?
    do {
      root = try Yams.compose(yaml: text, .basic, .default, .utf8)
    } catch let error as YamlError {
      throw Fault(error)
    } catch {
      throw Fault(.recipeSyntax, "is not valid YAML")
    }
    guard let root else { throw Fault(.recipeSyntax, "is empty", expected: "a recipe") }
    try self.init(root, depth: 0)
  }

  /// Refuses what would make Yams recurse deeply, or copy what aliases refer to.
  private static func checkShape(_ text: String) throws(Fault) {
    var open = 0
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let content = line.drop { $0 == " " || $0 == "-" || $0 == "?" }
      guard !content.hasPrefix("#") else { continue }
      let indentation = line.utf8.count - content.utf8.count
      var previous: UInt8 = UInt8(ascii: " ")
      for byte in line.utf8 {
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "{"): open += 1
        case UInt8(ascii: "]"), UInt8(ascii: "}"): open = max(open - 1, 0)
        default: break
        }
        let startsToken = [UInt8(ascii: " "), UInt8(ascii: "["), UInt8(ascii: ",")]
          .contains(previous)
        if startsToken, byte == UInt8(ascii: "*") || byte == UInt8(ascii: "&") {
          throw Fault(
            .recipeSyntax, "line \(index + 1): has an anchor or alias, which recipes cannot have",
            found: "'\(shortened(content))'", hint: "write the value out, or put it in quotes")
        }
        previous = byte
      }
      guard indentation <= 4 * maximumDepth, open <= maximumDepth else {
        throw Fault(.recipeSyntax, "line \(index + 1): is nested too deeply for a recipe")
      }
    }
  }

  private init(_ node: Node, depth: Int) throws(Fault) {
    let line = node.mark?.line ?? 0
    guard depth <= Self.maximumDepth else {
      throw Fault(.recipeSyntax, "line \(line): is nested too deeply for a recipe")
    }
    switch node {
    case .scalar(let scalar):
      let isNull = scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
      self.init(isNull ? .null : .scalar(scalar.string), line: line)
    case .sequence(let sequence):
      var elements: [RecipeNode] = []
      for element in sequence { elements.append(try RecipeNode(element, depth: depth + 1)) }
      self.init(.list(elements), line: line)
    case .mapping(let mapping):
      var members: [(key: String, value: RecipeNode)] = []
      for (key, value) in mapping {
        guard case .scalar(let name) = key else {
          throw Fault(.recipeSyntax, "line \(key.mark?.line ?? line): has a key that is no text")
        }
        var member = try RecipeNode(value, depth: depth + 1)
        // A map begins after its key; messages about it name the key's line.
        member.line = key.mark?.line ?? member.line
        members.append((name.string, member))
      }
      self.init(.map(members), line: line)
    case .alias:
      throw Fault(.recipeSyntax, "line \(line): has an alias, which recipes cannot have")
    }
  }
}

extension Fault {
  /// A text that is not YAML.
  fileprivate init(_ error: YamlError) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      self.init(
        .recipeSyntax, "line \(mark.line): is not valid YAML: \(problem) (column \(mark.column))")
    case .reader(let problem, let offset, _, _):
      self.init(.recipeSyntax, "is not valid YAML: \(problem)", offset: offset)
    case .duplicatedKeysInMapping(let duplicates, let context):
      self.init(
        .recipeSyntax, "line \(context.mark.line): has a map with a repeated key",
        found: duplicates.sorted().map { "'\(shortened($0))'" }.joined(separator: ", "))
    default: self.init(.recipeSyntax, "is not valid YAML")
    }
  }
}

// MARK: Writing

extension RecipeNode {
  /// The node as a YAML document: maps in blocks, lists of scalars in brackets.
  var yaml: String {
    var text = ""
    write(to: &text, indentation: 0)
    return text
  }

  private func write(to text: inout String, indentation: Int) {
    let spaces = String(repeating: " ", count: indentation)
    switch content {
    case .null: text += "null\n"
    case .scalar(let scalar): text += spelling(scalar) + "\n"
    case .list(let elements):
      for element in elements {
        text += spaces + "- "
        var inner = ""
        element.write(to: &inner, indentation: indentation + 2)
        // The first line of a map goes beside the dash.
        text += inner.drop { $0 == " " }
      }
    case .map(let members):
      for (key, value) in members {
        text += spaces + RecipeNode.text(key).spelling(key) + ":"
        if let flow = value.flow {
          text += " " + flow + "\n"
        } else {
          text += "\n"
          value.write(to: &text, indentation: indentation + 2)
        }
      }
    }
  }

  /// The node on one line, if it is a scalar or a list of scalars.
  private var flow: String? {
    switch content {
    case .null: return "null"
    case .scalar(let text): return spelling(text)
    case .list(let elements):
      var scalars: [String] = []
      for element in elements {
        guard case .scalar(let text) = element.content else { return nil }
        scalars.append(element.spelling(text))
      }
      return "[" + scalars.joined(separator: ", ") + "]"
    case .map(let members): return members.isEmpty ? "{}" : nil
    }
  }

  /// A scalar, in quotes unless it is a number, or a word that nothing else could be meant by.
  private func spelling(_ text: String) -> String {
    if isVerbatim { return text }
    let isWord =
      text.utf8.first.map { (UInt8(ascii: "A")...UInt8(ascii: "z")).contains($0) } == true
      && Recipe.isName(text.replacing("..", with: ".").replacing("/", with: "-"))
      && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(text.lowercased())
    return isWord ? text : Self.quoted(text)
  }

  /// A scalar in double quotes, on one line.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x22: quoted += "\\\""
      case 0x5C: quoted += "\\\\"
      case 0x0A: quoted += "\\n"
      case 0x09: quoted += "\\t"
      // What YAML does not call printable, takes for a line break, or may skip as a mark.
      case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
