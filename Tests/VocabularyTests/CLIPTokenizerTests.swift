import JSON
import TestSupport
import Testing
import Vocabulary

/// Prompts and their tokens by transformers; see fixtures/vocabulary/make_prompts.py.
@Suite("CLIP's tokenizer")
struct CLIPTokenizerTests {
  private static let tokenizer = CLIPTokenizer()

  @Test("gives the tokens of transformers for 1,000 prompts")
  func prompts() throws {
    let file = try JSONValue(parsing: contents(of: Fixtures.path("vocabulary/prompts.json")))
    let prompts = try #require(file.array)
    #expect(prompts.count == 1000)
    for prompt in prompts {
      let parts = try #require(prompt.array)
      let text = try #require(parts[0].string), count = try #require(parts[1].integer)
      let wanted = try #require(parts[2].array).compactMap { $0.integer }
      var tokens = Self.tokenizer.tokens(of: String(repeating: text, count: count))
      if tokens.count >= 400 { tokens = [tokens.count] + tokens.prefix(20) + tokens.suffix(20) }
      #expect(tokens == wanted, "\(text.debugDescription) × \(count)")
    }
  }

  @Test("a prompt is cut and filled up to 77 tokens")
  func padded() {
    let short = Self.tokenizer.padded("a photo")
    #expect(short.count == 77)
    #expect(Array(short.prefix(4)) == [49406, 320, 1125, 49407])
    #expect(short.suffix(73).allSatisfy { $0 == 49407 })
    let long = Self.tokenizer.padded(String(repeating: "word ", count: 200))
    #expect(long.count == 77 && long[75] == 2653 && long[76] == 49407)
  }

  // Were the work to grow with the square of the length, this would take hours.
  @Test("one word of a million letters is split in a moment", .timeLimit(.minutes(1)))
  func longWord() {
    let tokens = Self.tokenizer.tokens(of: String(repeating: "abcd", count: 250_000))
    #expect(tokens.count > 50_000)
  }
}
