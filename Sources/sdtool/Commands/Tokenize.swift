import ArgumentParser
import Inspection
import JSON
import Prompts
import Tensors
import Vocabulary

extension SDTool {
  /// The command `sdtool tokenize`, which shows what the text encoder gets.
  struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows the tokens of a prompt, as CLIP's text encoder gets them.",
      discussion: """
        Brackets give weight as in the web UIs: (word) 1.1, (word:1.3), [word]; BREAK and every 75 \
        tokens begin a new chunk. --plain takes brackets as text.

        EXAMPLES
          sdtool tokenize "a (red:1.3) ball on grass"
          sdtool tokenize --json "a photo of <style>" --embedding style=style.pt

        EXIT CODES
          0 tokenised, 2 the prompt or an embedding cannot be read, 64 wrong usage
        """)

    @Argument(help: "The prompt.")
    var prompt: String

    @Flag(help: "Brackets are text.")
    var plain = false

    @OptionGroup var embeddings: EmbeddingOptions

    @Flag(help: "Write JSON.")
    var json = false

    @OptionGroup var text: OutputOptions

    func run() throws {
      try orFail { () throws(Fault) in
        let encoder = PromptEncoder(embeddings: try embeddings.load())
        let tokens = plain ? encoder.plainTokens(of: prompt) : try encoder.tokens(of: prompt)
        if json {
          Terminal.write(try value(of: tokens, encoder).serialized(pretty: true) + "\n")
        } else {
          let lines = lines(of: tokens, encoder)
          Terminal.write(lines.joined(separator: "\n") + "\n")
        }
      }
    }

    /// What a token stands for: bytes of a text, or a vector.
    private func name(of token: Int, _ encoder: PromptEncoder) -> String {
      encoder.tokenizer.text(of: token)
        ?? "vector \(token - encoder.tokenizer.vocabulary.tokens.count + 1)"
    }

    private func lines(of tokens: PromptTokens, _ encoder: PromptEncoder) -> [String] {
      let weighted = !tokens.isPlain
      var lines: [String] = []
      for (number, chunk) in tokens.chunks.enumerated() {
        if tokens.chunks.count > 1 {
          let title: StyledText =
            "\("chunk \(number + 1)", .strong)  \(Written.count(chunk.used, "token"))"
          lines.append((number > 0 ? "\n" : "") + title.rendered(text.style))
        }
        var columns: [TextTable.Column] = [
          .init("", .right), .init("token", .right), .init("text"),
        ]
        if weighted { columns.append(.init("weight", .right)) }
        var table = TextTable(columns)
        // The rest is filling, all of it the last token.
        for place in 0..<chunk.used + 2 {
          let token = chunk.tokens[place]
          let isMark = place == 0 || place == chunk.used + 1
          var cells: [StyledText] = [
            "\(place, .faint)", "\(token)",
            isMark ? "\(name(of: token, encoder), .faint)" : "\(name(of: token, encoder), .name)",
          ]
          if weighted {
            let weight = chunk.weights[place]
            cells.append(weight == 1 ? "" : "\(Written.decimal(weight, digits: 3))")
          }
          table.append(cells)
        }
        lines += table.lines(width: text.width, style: text.style)
      }
      var total: StyledText =
        "\(Written.count(tokens.used, "token"), .strong) in \(Written.count(tokens.chunks.count, "chunk")) of 75"
      if !tokens.embeddings.isEmpty {
        total += "; embeddings: \(tokens.embeddings.joined(separator: ", "))"
      }
      return lines + ["", total.rendered(text.style)]
    }

    private func value(of tokens: PromptTokens, _ encoder: PromptEncoder) -> JSONValue {
      [
        "prompt": .string(prompt), "tokens": .integer(tokens.used),
        "embeddings": .array(tokens.embeddings.map { .string($0) }),
        "chunks": .array(
          tokens.chunks.map { chunk in
            [
              "used": .integer(chunk.used),
              "ids": .array(chunk.tokens.map { .integer($0) }),
              "weights": .array(chunk.weights.map { .double($0) }),
              "texts": .array(
                chunk.tokens.prefix(chunk.used + 2).map { .string(name(of: $0, encoder)) }),
            ]
          }),
      ]
    }
  }
}
