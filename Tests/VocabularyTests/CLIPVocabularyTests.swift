import Crypto
import JSON
import TestSupport
import Testing
import Vocabulary

@Suite("CLIP's vocabulary")
struct CLIPVocabularyTests {
  @Test("has the tokens that open_clip builds, number by number")
  func tokens() throws {
    let expected = try JSONValue(parsing: contents(of: Fixtures.path("vocabulary/expected.json")))
    let vocabulary = CLIPVocabulary()
    #expect(vocabulary.merges.count == expected["merges"]?.integer)
    #expect(vocabulary.tokens.count == expected["tokens"]?.integer)
    for sample in try #require(expected["samples"]?.object) {
      #expect(vocabulary.tokens[try #require(Int(sample.key))] == sample.value.string)
    }
    var hash = SHA256()
    hash.update(data: Array(vocabulary.tokens.joined(separator: "\n").utf8))
    let digest = hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    #expect(digest == expected["tokens_sha256"]?.string)
  }

  @Test("vocab.json numbers every token; merges.txt lists every merge")
  func files() throws {
    let vocabulary = CLIPVocabulary()
    let object = try #require(JSONValue(parsing: vocabulary.vocabularyFile).object)
    #expect(object.count == 49408)
    for (number, token) in vocabulary.tokens.enumerated() where number % 97 == 0 {
      #expect(object[token]?.integer == number)
    }
    #expect(vocabulary.mergesFile.split(separator: UInt8(ascii: "\n")).count == 48895)
  }
}
