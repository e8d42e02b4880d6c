import JSON
import Tensors

/// A recipe's text as a tree: what YAML and JSON have in common, with positions for messages.
struct RecipeNode {
  /// One node.
  indirect enum Content {
    case null
    /// Text, a number, or a truth value, as written.
    case scalar(String)
    case list([RecipeNode])
    /// Values by key, in order.
    case map([(key: String, value: RecipeNode)])
  }

  var content: Content
  /// The line in the text, from 1; 0 where there is none.
  var line = 0
  /// Whether a scalar is written without quotes even if it looks like another type.
  var isVerbatim = false

  init(_ content: Content, line: Int = 0) {
    self.content = content
    self.line = line
  }

  /// Text.
  static func text(_ text: String) -> RecipeNode { RecipeNode(.scalar(text)) }

  /// A number, as written.
  static func number(_ text: String) -> RecipeNode {
    var node = RecipeNode(.scalar(text))
    node.isVerbatim = true
    return node
  }

  /// The node as words for messages: `a list`.
  var kind: String {
    switch content {
    case .null: "nothing"
    case .scalar(let text): "'\(shortened(text))'"
    case .list: "a list"
    case .map: "a map"
    }
  }

  /// `fault` with the line before its message.
  func located(_ fault: Fault) -> Fault {
    guard line > 0, !fault.message.hasPrefix("line ") else { return fault }
    var fault = fault
    fault.message = "line \(line): " + fault.message
    return fault
  }
}

// MARK: JSON

extension RecipeNode {
  /// A JSON value; its depth is limited by the parser.
  init(_ value: JSONValue) {
    switch value {
    case .null: self.init(.null)
    case .bool(let bool): self.init(.scalar(bool ? "true" : "false"))
    case .integer(let number): self.init(.scalar("\(number)"))
    case .double(let number): self.init(.scalar(spelled(number)))
    case .string(let text): self.init(.scalar(text))
    case .array(let elements): self.init(.list(elements.map { RecipeNode($0) }))
    case .object(let members): self.init(.map(members.map { ($0.key, RecipeNode($0.value)) }))
    }
  }

  /// The node as JSON: numbers are numbers where 64 bits hold them.
  var json: JSONValue {
    switch content {
    case .null: .null
    case .scalar(let text):
      if !isVerbatim {
        .string(text)
      } else if let integer = Int(text) {
        .integer(integer)
      } else if UInt64(text) == nil, let number = Double(text) {
        .double(number)
      } else if text == "true" || text == "false" {
        .bool(text == "true")
      } else {
        .string(text)
      }
    case .list(let elements): .array(elements.map(\.json))
    case .map(let members): .object(JSONObject(members.map { ($0.key, $0.value.json) }))
    }
  }
}
