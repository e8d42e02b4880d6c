import JSON
import Prompts
import Tensors
import TestSupport
import Testing
import Vocabulary

@Suite("Prompts")
struct PromptTests {
  private static let encoder = PromptEncoder()

  @Test("emphasis is read as the web UIs read it")
  func emphasis() throws {
    // fixtures/vocabulary/make_attention.py
    let file = try JSONValue(parsing: contents(of: Fixtures.path("vocabulary/attention.json")))
    for entry in try #require(file.array) {
      let prompt = try #require(entry.array?.first?.string)
      let wanted = try #require(entry.array?.last?.array)
      let parts = try promptParts(prompt)
      try #require(parts.count == wanted.count, "\(prompt)")
      for (part, pair) in zip(parts, wanted) {
        let text = try #require(pair.array?[0].string), weight = try #require(pair.array?[1].double)
        switch part {
        case .lineBreak: #expect(weight == -1, "\(prompt)")
        case .text(let piece):
          #expect(piece.text == text, "\(prompt)")
          #expect(abs(piece.weight - weight) < 1e-12, "\(prompt)")
        }
      }
    }
  }

  @Test("deep brackets and bad weights are refused, not obeyed", arguments: ["deep", "weight"])
  func refused(_ what: String) {
    let prompt = what == "deep" ? String(repeating: "(", count: 100_000) : "(a:1.2.3)"
    let fault = #expect(throws: Fault.self) { try promptParts(prompt) }
    #expect(fault?.rule == .promptSyntax)
  }

  @Test("a long prompt becomes chunks of 75, cut after a comma that is near")
  func chunks() throws {
    let dogs = String(repeating: "dog ", count: 65)
    let commas = try Self.encoder.tokens(of: "cat, \(dogs), \(dogs.prefix(80))")
    #expect(commas.chunks.map(\.used) == [68, 20])
    let words = try Self.encoder.tokens(of: "cat, " + String(repeating: "dog ", count: 80))
    #expect(words.chunks.map(\.used) == [75, 7])
    let broken = try Self.encoder.tokens(of: "cat BREAK dog")
    #expect(broken.chunks.map(\.used) == [1, 1])
    for chunk in commas.chunks + words.chunks + broken.chunks {
      #expect(chunk.tokens.count == 77 && chunk.weights.count == 77)
      #expect(chunk.tokens.first == 49406 && chunk.tokens.last == 49407)
    }
    #expect(try Self.encoder.tokens(of: "").chunks.map(\.used) == [0])
    #expect(
      try Self.encoder.tokens(of: "a cat").chunks[0].tokens == CLIPTokenizer().padded("a cat"))
  }

  @Test("an embedding takes the place of its name")
  func embeddings() throws {
    let style = TextualInversion(name: "my-style", vectors: [[1, 2], [3, 4]])
    let encoder = PromptEncoder(embeddings: [style])
    let tokens = try encoder.tokens(of: "a (my-style:1.2) cat")
    #expect(Array(tokens.chunks[0].tokens.prefix(5)) == [49406, 320, 49408, 49409, 2368])
    #expect(tokens.chunks[0].weights[2] == 1.2 && tokens.chunks[0].weights[4] == 1)
    #expect(tokens.vectors == style.vectors)
    #expect(tokens.embeddings == ["my-style"])
  }

  @Test(
    "prompts change from step to step",
    arguments: [
      ("a [cat:dog:0.5] b", [(0, "a cat b"), (5, "a dog b")]),
      ("a [cat:3]", [(0, "a "), (3, "a cat")]),
      ("[cat::3] b", [(0, "cat b"), (3, " b")]),
      ("[a|b]", (0..<10).map { ($0, $0 % 2 == 0 ? "a" : "b") }),
      ("[x] [(y:1.2)] (a:1.1)", [(0, "[x] [(y:1.2)] (a:1.1)")]),
      ("[a [b:c:2]:d:5]", [(0, "a b"), (2, "a c"), (5, "d")]),
      ("[a:b:c]", [(0, "[a:b:c]")]), ("[a:b:0.5", [(0, "[a:b:0.5")]),
      ("\\[a:b:2\\]", [(0, "\\[a:b:2\\]")]),
    ])
  func editing(_ prompt: String, _ phases: [(Int, String)]) throws {
    let edited = try EditedPrompt(prompt, steps: 10)
    #expect(edited.phases.map(\.start) == phases.map { $0.0 })
    #expect(edited.phases.map(\.text) == phases.map { $0.1 })
  }

  @Test("weights multiply vectors and keep the mean")
  func weights() {
    var values: [Float] = [1, 2, 3, 4]
    applyEmphasis([1, 2], to: &values)
    // Weighted 1, 2, 6, 8: a sum of 17 where 10 was.
    #expect(values == [1, 2, 6, 8].map { Float(Double($0) * 10 / 17) })
  }

  @Test(
    "embeddings of the web UIs and of diffusers are read",
    arguments: ["embedding.pt", "embedding_parameters.pt", "learned_embeds.bin"])
  func files(_ name: String) throws {
    let path = Fixtures.path("torch/files/" + name)
    let fault = #expect(throws: Fault.self) { try TextualInversion(path: path) }
    #expect(fault?.rule == .notAnEmbedding)
    let embedding = try TextualInversion(path: path, width: 8)
    #expect(name.hasPrefix(embedding.name + "."))
    #expect(embedding.vectors.count == (name.hasSuffix(".bin") ? 1 : 2))
    #expect(embedding.vectors.allSatisfy { $0.count == 8 })
  }
}
