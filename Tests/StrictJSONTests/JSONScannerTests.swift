import StrictJSON
import Testing

@Suite("The strict JSON scanner")
struct JSONScannerTests {
  @Test(
    "accepts every form that RFC 8259 allows",
    arguments: [
      "{}", "[]", " [ 1 , 2 ] ", "0", "-0", "1.5e+10", "1E5", "true", "false", "null", "\"\"",
      #""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#, #"{"a":{"b":[{}]}}"#, "\t\r\n 1 \n",
      "\"caf\u{E9} \u{1F600} \u{7F}\"", #"{"a":1,"b":2}"#, "123456789012345678901234567890",
    ])
  func accepts(_ text: String) throws {
    try JSONScanner.check(Array(text.utf8))
  }

  @Test(
    "refuses what is not strict JSON, at the byte where it goes wrong",
    arguments: [
      ("", 0), ("{", 1), ("[1,]", 3), ("{\"a\":1,}", 7), ("{'a':1}", 1), ("{a:1}", 1), ("01", 1),
      ("+1", 0), ("1.", 2), ("1.e5", 2), (".5", 0), ("-", 1), ("1e", 2), ("NaN", 0),
      ("Infinity", 0), ("tru", 3), ("trux", 3), ("\"\u{01}\"", 1), ("\"\\x\"", 2),
      ("\"\\u12g4\"", 5), ("\"\\ud800\"", 3), ("\"\\ud800\\u0041\"", 3), ("\"\\udc00\"", 3),
      ("\u{FEFF}{}", 0), ("{} {}", 3), ("[1 2]", 3), ("{\"a\" 1}", 5), ("// c\n1", 0), ("\"a", 2),
      ("{\"a\":1 \"b\":2}", 7), ("[1]]", 3), ("{\"a\"}", 4), ("{\"a\":}", 5), ("1 x", 2),
    ])
  func refuses(_ text: String, _ offset: Int) {
    let error = #expect(throws: JSONSyntaxError.self) {
      try JSONScanner.check(Array(text.utf8))
    }
    #expect(error?.offset == offset)
  }

  @Test("refuses bytes that are not UTF-8, among them overlong forms and surrogates")
  func invalidUTF8() {
    for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]] {
      let text = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
      let error = #expect(throws: JSONSyntaxError.self) { try JSONScanner.check(text) }
      #expect(error == JSONSyntaxError(.invalidUTF8, at: 1))
    }
  }

  @Test("counts nesting in values that are skipped, and does not recurse")
  func depth() throws {
    func nested(_ levels: Int) -> [UInt8] {
      Array((String(repeating: "[", count: levels) + String(repeating: "]", count: levels)).utf8)
    }
    func skip(_ bytes: [UInt8]) throws(JSONSyntaxError) {
      var scanner = try JSONScanner(bytes, depthLimit: 128)
      try scanner.skipValue()
      try scanner.finish()
    }
    try skip(nested(128))
    let error = #expect(throws: JSONSyntaxError.self) { try skip(nested(129)) }
    #expect(error == JSONSyntaxError(.tooDeep(limit: 128), at: 128))
    #expect(throws: JSONSyntaxError.self) { try skip(nested(1_000_000)) }
  }

  @Test("finds a key that occurs twice, also when it is spelled with escapes")
  func duplicates() {
    for text in [#"{"a":1,"a":2}"#, #"[{"x":{"w":1,"\u0077":2}}]"#] {
      let error = #expect(throws: JSONSyntaxError.self) { try JSONScanner.check(Array(text.utf8)) }
      guard case .duplicateKey = error?.reason else {
        Issue.record("\(text) gave \(String(describing: error))")
        return
      }
    }
    // Composed and decomposed é are different keys.
    #expect(throws: Never.self) {
      try JSONScanner.check(Array("{\"\u{E9}\":1,\"e\u{301}\":2}".utf8))
    }
  }

  @Test("reads escapes as the characters they stand for")
  func escapes() throws {
    var scanner = try JSONScanner(Array(#""a\u0000\ud83d\ude00\/\n""#.utf8))
    #expect(try scanner.readString() == "a\0\u{1F600}/\n")
  }

  @Test(
    "takes only plain digits below 2⁶⁴ for unsigned numbers",
    arguments: [
      ("0", 0), ("18446744073709551615", UInt64.max), ("18446744073709551616", nil), ("1.0", nil),
      ("1e0", nil), ("-0", nil), ("-1", nil), ("99999999999999999999999999", nil),
    ] as [(String, UInt64?)])
  func unsigned(_ text: String, _ value: UInt64?) throws {
    var scanner = try JSONScanner(Array(text.utf8))
    #expect(try scanner.readUnsignedInteger() == value)
    try scanner.finish()
  }
}
