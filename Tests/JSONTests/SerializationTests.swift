import JSON
import Tensors
import Testing

@Suite("Writing JSON")
struct SerializationTests {
  @Test("the compact form has no spaces, the pretty form one member per line")
  func forms() throws {
    let value: JSONValue = ["a": [1, 2.5, nil], "b": [:], "c": [], "d": ["e": true]]
    #expect(
      try value.serialized() == #"{"a":[1,2.5,null],"b":{},"c":[],"d":{"e":true}}"#)
    #expect(
      try value.serialized(pretty: true) == """
        {
          "a": [
            1,
            2.5,
            null
          ],
          "b": {},
          "c": [],
          "d": {
            "e": true
          }
        }
        """)
  }

  @Test(
    "text is escaped where it must be and nowhere else",
    arguments: [
      ("a/b", #""a/b""#), ("\"\\", #""\"\\""#), ("\n\r\t\u{8}\u{C}", #""\n\r\t\b\f""#),
      ("\0\u{1}\u{1F}", #""\u0000\u0001\u001f""#), ("é😀\u{2028}", "\"é😀\u{2028}\""), ("", "\"\""),
    ])
  func escapes(text: String, json: String) throws {
    #expect(try JSONValue.string(text).serialized() == json)
    #expect(try JSONValue(parsing: json) == .string(text))
  }

  @Test(
    "numbers are written in their shortest form",
    arguments: [
      (JSONValue.integer(.min), "-9223372036854775808"), (.integer(.max), "9223372036854775807"),
      (0.1, "0.1"), (1.0, "1.0"), (1e300, "1e+300"), (.double(.leastNonzeroMagnitude), "5e-324"),
      (-0.0, "-0.0"),
      (.double(.infinity), "null"), (.double(-.infinity), "null"), (.double(.nan), "null"),
    ])
  func numbers(value: JSONValue, json: String) throws {
    #expect(try value.serialized() == json)
  }

  @Test("a NUL in a key becomes its symbol")
  func keyWithNUL() throws {
    #expect(try JSONValue.object(["a\0b": "c\0d"]).serialized() == #"{"a␀b":"c\u0000d"}"#)
  }

  @Test("what is written reads back as the same value")
  func roundTrip() throws {
    var generator = SplitMix(state: 7)
    for _ in 0..<300 {
      let value = randomValue(depth: 5, &generator)
      #expect(try JSONValue(parsing: value.serialized()) == value)
      #expect(try JSONValue(parsing: value.serialized(pretty: true)) == value)
    }
  }

  private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  private func randomValue(depth: Int, _ generator: inout SplitMix) -> JSONValue {
    switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &generator) {
    case 0: return nil
    case 1: return .bool(.random(using: &generator))
    case 2: return .integer(.random(in: .min ... .max, using: &generator))
    case 3:
      let value = Double(bitPattern: generator.next())
      return .double(value.isFinite ? value : 0.5)
    case 4, 5: return .string(randomText(&generator))
    case 6: return .array((0..<5).map { _ in randomValue(depth: depth - 1, &generator) })
    default:
      return .object(
        JSONObject(
          (0..<12).map {
            (
              "\($0)" + randomText(&generator).filter { $0 != "\0" },
              randomValue(depth: depth - 1, &generator)
            )
          }))
    }
  }

  private func randomText(_ generator: inout SplitMix) -> String {
    let scalars: [UnicodeScalar] = [
      "a", "\"", "\\", "/", "\n", "\0", "\u{7F}", "é", "\u{301}", "😀",
    ]
    var text = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0..<10, using: &generator) {
      text.append(scalars[Int.random(in: 0..<scalars.count, using: &generator)])
    }
    return String(text)
  }
}
