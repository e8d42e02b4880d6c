import Tensors
import Testing

@Suite("Patterns for names")
struct GlobTests {
  @Test(
    "match whole names",
    arguments: [
      ("*.weight", "a.weight", true), ("*.weight", "a.weights", false), ("a*b*c", "aXbYbZc", true),
      ("a?c", "abc", true), ("a?c", "ac", false), ("a?c", "a\u{E9}c", true), ("*", "", true),
      ("?", "", false), ("**a", "bba", true), ("attn2", "x.attn2.y", true),
      ("attn2", "attn", false),
      ("a*", "ba", false),
    ])
  func matches(_ pattern: String, _ name: String, _ isMatch: Bool) {
    #expect(Glob(pattern).matches(TensorName(name)) == isMatch)
  }

  @Test("stay quick on patterns made to be slow")
  func hostile() {
    let pattern = String(repeating: "a*", count: 100) + "b"
    #expect(!Glob(pattern).matches(TensorName(String(repeating: "a", count: 5000))))
  }
}
