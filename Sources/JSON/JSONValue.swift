/// A JSON text as a value: what a configuration, an index or a report holds.
///
///     let config = try JSONValue(parsing: bytes)
///     config["_class_name"]?.string   // "StableDiffusionPipeline"
///
///     let report: JSONValue = ["tool": "sdtool", "findings": .array(findings)]
///     try report.serialized(pretty: true)
///
/// Strings are equal when their bytes are, not when they merely look the same.
public enum JSONValue: Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number written without fraction and exponent that fits 64 bits.
  case integer(Int)
  /// Any other number; always finite when it was parsed.
  case double(Double)
  /// Text.
  case string(String)
  /// A list.
  case array([JSONValue])
  /// Named values, in order.
  case object(JSONObject)
}

extension JSONValue {
  /// The truth value, or `nil` for anything else.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

  /// The whole number, or `nil` for anything else.
  public var integer: Int? { if case .integer(let value) = self { value } else { nil } }

  /// The number, whole or not, or `nil` for anything else.
  public var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }

  /// The text, or `nil` for anything else.
  public var string: String? { if case .string(let value) = self { value } else { nil } }

  /// The list, or `nil` for anything else.
  public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }

  /// The named values, or `nil` for anything else.
  public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }

  /// Whether it is `null`.
  public var isNull: Bool { if case .null = self { true } else { false } }

  /// The value under `key`, or `nil` where there is none or this is not an object.
  public subscript(key: String) -> JSONValue? { object?[key] }

  /// What kind of value it is, for messages: `"a string"`.
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool: "true or false"
    case .integer, .double: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension JSONValue: Equatable {
  /// Whether both are the same value; `1` and `1.0` are not, nor are objects in another order.
  public static func == (a: JSONValue, b: JSONValue) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.double(let a), .double(let b)): a == b
    case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)): a == b
    default: false
    }
  }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringInterpolation,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// `null`.
  public init(nilLiteral: ()) { self = .null }
  /// `true` or `false`.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// A whole number.
  public init(integerLiteral value: Int) { self = .integer(value) }
  /// A number.
  public init(floatLiteral value: Double) { self = .double(value) }
  /// Text.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A list.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// Named values; of two with the same name the later one counts.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(JSONObject(elements))
  }
}
