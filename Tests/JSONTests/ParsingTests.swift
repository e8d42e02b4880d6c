import JSON
import Tensors
import Testing

@Suite("Parsing JSON")
struct ParsingTests {
  private func refusal(_ text: String) -> Fault? {
    do throws(Fault) {
      _ = try JSONValue(parsing: text)
      return nil
    } catch {
      return error
    }
  }

  @Test("every kind of value is read")
  func kinds() throws {
    let value = try JSONValue(
      parsing:
        #" {"n": null, "b": [true, false], "i": -42, "d": 1.5, "s": "a\u0000b\"é😀", "o": {}} "#)
    #expect(
      value == [
        "n": nil, "b": [true, false], "i": -42, "d": 1.5, "s": "a\0b\"é😀", "o": [:],
      ])
    #expect(value["i"]?.integer == -42)
    #expect(value["d"]?.double == 1.5)
    #expect(value["missing"] == nil)
    #expect(value["s"]?["inside"] == nil)
  }

  @Test("members keep their order")
  func order() throws {
    let value = try JSONValue(parsing: #"{"z": 1, "a": 2, "m": 3}"#)
    #expect(value.object?.map(\.key) == ["z", "a", "m"])
  }

  @Test(
    "a value alone is a text",
    arguments: [
      ("12", JSONValue.integer(12)), ("-0", 0), ("1e2", .double(100)), ("null", nil),
      ("\"x\"", "x"),
      ("true", true),
    ] as [(String, JSONValue)])
  func scalars(text: String, value: JSONValue) throws {
    #expect(try JSONValue(parsing: text) == value)
  }

  @Test(
    "integers outside 64 bits become floating point instead of being clamped",
    arguments: [
      ("9223372036854775807", JSONValue.integer(.max)),
      ("-9223372036854775808", .integer(.min)),
      ("9223372036854775808", .double(0x1p63)),
      ("18446744073709551615", .double(0x1p64)),
      ("18446744073709551616", .double(0x1p64)),
      ("-9223372036854775809", .double(-0x1p63)),
      ("100000000000000000000000000000", .double(1e29)),
      (
        "[1,99999999999999999999,2,73786976294838206464]",
        .array([1, .double(1e20), 2, .double(0x1p66)])
      ),
    ] as [(String, JSONValue)])
  func largeIntegers(text: String, value: JSONValue) throws {
    #expect(try JSONValue(parsing: text) == value)
  }

  @Test(
    "what json-c would accept or misread is refused, with its place",
    arguments: [
      ("", "JS001", 0), ("{", "JS001", 1), ("[1,]", "JS001", 3), ("{'a': 1}", "JS001", 1),
      ("[NaN]", "JS001", 1), ("[Infinity]", "JS001", 1), ("/* */ 1", "JS001", 0),
      ("1 2", "JS001", 2), ("01", "JS001", 1), (#""\ud800""#, "JS001", 3),
      ("\u{FEFF}1", "JS001", 0),
      (#"{"a": 1, "a": 2}"#, "JS002", 9), (#"{"a": 1, "\u0061": 2}"#, "JS002", 9),
      (#"[{"a\u0000b": 1}]"#, "JS004", 2), ("[1, 1e999]", "JS005", 4), ("[-1e999]", "JS005", 1),
      (String(repeating: "9", count: 400), "JS005", 0),
      (String(repeating: "1", count: 2000) + "e-1999", "JS005", 0),
    ])
  func refused(text: String, rule: String, offset: Int) throws {
    let fault = try #require(refusal(text))
    #expect(fault.rule.id == rule)
    #expect(fault.offset == offset)
    #expect(fault.severity == .fatal)
  }

  @Test("bytes that are not UTF-8 are refused")
  func invalidUTF8() {
    #expect(throws: Fault.self) { try JSONValue(parsing: [0x22, 0xC0, 0x80, 0x22]) }
  }

  @Test("two spellings of é are two keys")
  func normalization() throws {
    let value = try JSONValue(parsing: "{\"\u{E9}\": 1, \"e\u{301}\": 2}")
    #expect(value["\u{E9}"] == 1)
    #expect(value["e\u{301}"] == 2)
    #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
  }

  @Test("128 levels are read, 129 are refused", arguments: ["[", "{\"a\":"])
  func depth(opening: String) throws {
    let closing = opening == "[" ? "]" : "}"
    func nested(_ count: Int) -> String {
      String(repeating: opening, count: count) + (opening == "[" ? "" : "1")
        + String(repeating: closing, count: count)
    }
    var value = try JSONValue(parsing: nested(128))
    var levels = 0
    while let inner = value.array?.first ?? value["a"] {
      value = inner
      levels += 1
    }
    #expect(levels == (opening == "[" ? 127 : 128))
    #expect(refusal(nested(129))?.rule == .jsonTooDeep)
    #expect(refusal(String(repeating: opening, count: 1_000_000))?.rule == .jsonTooDeep)
  }

  @Test("the size of the text and the number of values are limited")
  func limits() throws {
    #expect(throws: Fault.self) { try JSONValue(parsing: Array("[1,2]".utf8), maximumByteCount: 4) }
    #expect(throws: Fault.self) {
      try JSONValue(parsing: Array("[1,2]".utf8), maximumValueCount: 2)
    }
    #expect(try JSONValue(parsing: Array("[1,2]".utf8), maximumValueCount: 3) == [1, 2])
    let many = "[" + String(repeating: "0,", count: 1_000_000) + "0]"
    #expect(refusal(many)?.rule == .jsonTooLarge)
  }

  @Test("an object of many members finds each of them")
  func lookup() throws {
    let text = "{" + (0..<5000).map { "\"key\($0)\":\($0)" }.joined(separator: ",") + "}"
    var object = try #require(try JSONValue(parsing: text).object)
    #expect((0..<5000).allSatisfy { object["key\($0)"] == .integer($0) })
    object["key17"] = nil
    object["key18"] = "changed"
    object["new"] = true
    #expect(object["key17"] == nil)
    #expect(object["key18"] == "changed")
    #expect(object["key4999"] == 4999)
    #expect(object.count == 5000)
    #expect(object.last?.key == "new")
  }
}
