public import Tensors
public import Vocabulary

/// A prompt as the text encoder takes it: chunks of 77 tokens with a weight for each.
///
///     let encoder = PromptEncoder()
///     let tokens = try encoder.tokens(of: "a (red:1.3) ball")
///     tokens.chunks[0].weights[2]   // 1.3
public struct PromptTokens: Hashable, Sendable {
  /// What one pass of the text encoder takes.
  public struct Chunk: Hashable, Sendable {
    /// 77 tokens; those beyond the vocabulary stand for ``PromptTokens/vectors``.
    public var tokens: [Int]
    /// What each token's output is multiplied by.
    public var weights: [Double]
    /// How many tokens come from the prompt, without the first, the last and the filling.
    public var used: Int
  }

  /// At least one.
  public var chunks: [Chunk]
  /// The vectors of embeddings, in the order of the tokens that stand for them.
  public var vectors: [[Float]]
  /// The names of the embeddings that the prompt uses.
  public var embeddings: [String]

  /// How many tokens come from the prompt.
  public var used: Int { chunks.reduce(0) { $0 + $1.used } }

  /// Whether all weights are 1.
  public var isPlain: Bool { chunks.allSatisfy { $0.weights.allSatisfy { $0 == 1 } } }
}

/// What turns prompts into chunks of tokens.
public struct PromptEncoder: Sendable {
  /// How prompts become tokens.
  public let tokenizer: CLIPTokenizer
  private let inversions: [TextualInversion]
  /// The names in angle brackets, which are found in the text, the longest first: the last bracket
  /// and what follows it may be one token.
  private let bracketed: [(name: String, index: Int)]
  /// The embeddings whose names begin with a token, the longest name first.
  private let byFirstToken: [Int: [(tokens: [Int], index: Int)]]
  private let comma: Int

  /// The tokens of a chunk between its first and last.
  static let room = CLIPTokenizer.contextLength - 2
  /// A chunk that is full is cut at a comma this many tokens back, as the web UIs do.
  static let backtrack = 20

  /// An encoder that knows some embeddings.
  public init(
    tokenizer: CLIPTokenizer = CLIPTokenizer(), embeddings: [TextualInversion] = []
  ) {
    self.tokenizer = tokenizer
    inversions = embeddings
    var table: [Int: [(tokens: [Int], index: Int)]] = [:]
    bracketed = embeddings.enumerated()
      .filter { $1.name.count > 2 && $1.name.hasPrefix("<") && $1.name.hasSuffix(">") }
      .map { ($1.name, $0) }.sorted { $0.name.count > $1.name.count }
    for (index, embedding) in embeddings.enumerated() {
      let name = tokenizer.tokens(of: embedding.name)
      if let first = name.first { table[first, default: []].append((name, index)) }
    }
    byFirstToken = table.mapValues { $0.sorted { $0.tokens.count > $1.tokens.count } }
    comma = tokenizer.tokens(of: ",").first ?? -1
  }

  /// The chunks of a prompt with emphasis, `BREAK` and embeddings.
  ///
  /// - Throws: ``Tensors/Rule/promptSyntax``.
  public func tokens(of prompt: String) throws(Fault) -> PromptTokens {
    tokens(of: try promptParts(prompt))
  }

  /// The chunks of a prompt in which brackets mean nothing.
  public func plainTokens(of prompt: String) -> PromptTokens {
    tokens(of: [.text(WeightedText(prompt))])
  }

  private func tokens(of parts: [PromptPart]) -> PromptTokens {
    var builder = ChunkBuilder(
      start: tokenizer.vocabulary.startOfText, end: tokenizer.vocabulary.endOfText)
    var vectors: [[Float]] = [], used: [String] = []
    func use(_ index: Int, _ weight: Double) {
      let found = inversions[index]
      builder.makeRoom(for: found.vectors.count)
      for vector in found.vectors {
        builder.append(tokenizer.vocabulary.tokens.count + vectors.count, weight)
        vectors.append(vector)
      }
      if !used.contains(found.name) { used.append(found.name) }
    }
    for part in parts {
      guard case .text(let piece) = part else {
        builder.finishChunk()
        continue
      }
      for (text, index) in split(piece.text) {
        let tokens = tokenizer.tokens(of: text)
        var position = 0
        while position < tokens.count {
          if let (length, index) = embedding(in: tokens, at: position) {
            use(index, piece.weight)
            position += length
          } else {
            builder.add(tokens[position], piece.weight, isComma: tokens[position] == comma)
            position += 1
          }
        }
        if let index { use(index, piece.weight) }
      }
    }
    builder.finish()
    return PromptTokens(chunks: builder.chunks, vectors: vectors, embeddings: used)
  }

  /// A text cut at names in angle brackets, each piece with the embedding that follows it.
  private func split(_ text: String) -> [(text: String, embedding: Int?)] {
    guard !bracketed.isEmpty, text.contains("<") else { return [(text, nil)] }
    var pieces: [(String, Int?)] = []
    var piece = "", rest = text[...]
    while let first = rest.first {
      if first == "<", let (name, index) = bracketed.first(where: { rest.hasPrefix($0.name) }) {
        pieces.append((piece, index))
        piece = ""
        rest = rest.dropFirst(name.count)
      } else {
        piece.append(first)
        rest = rest.dropFirst()
      }
    }
    return pieces + [(piece, nil)]
  }

  private func embedding(in tokens: [Int], at position: Int) -> (length: Int, index: Int)? {
    for (name, index) in byFirstToken[tokens[position]] ?? []
    where tokens[position...].starts(with: name) {
      return (name.count, index)
    }
    return nil
  }
}

/// Fills chunks, as `tokenize_line` of AUTOMATIC1111's web UI does.
private struct ChunkBuilder {
  let start: Int, end: Int
  private(set) var chunks: [PromptTokens.Chunk] = []
  private var tokens: [Int] = []
  private var weights: [Double] = []
  private var lastComma: Int?

  init(start: Int, end: Int) {
    self.start = start
    self.end = end
  }

  mutating func add(_ token: Int, _ weight: Double, isComma: Bool) {
    if isComma {
      lastComma = tokens.count
    } else if tokens.count == PromptEncoder.room, let comma = lastComma,
      tokens.count - comma <= PromptEncoder.backtrack
    {
      // What follows the comma goes into the next chunk with this token.
      let moved = (tokens[(comma + 1)...], weights[(comma + 1)...])
      tokens.removeSubrange((comma + 1)...)
      weights.removeSubrange((comma + 1)...)
      finishChunk()
      tokens = Array(moved.0)
      weights = Array(moved.1)
    }
    makeRoom(for: 1)
    append(token, weight)
  }

  mutating func append(_ token: Int, _ weight: Double) {
    tokens.append(token)
    weights.append(weight)
  }

  mutating func makeRoom(for count: Int) {
    if tokens.count + count > PromptEncoder.room { finishChunk() }
  }

  mutating func finishChunk() {
    let missing = PromptEncoder.room - tokens.count + 1
    chunks.append(
      PromptTokens.Chunk(
        tokens: [start] + tokens + Array(repeating: end, count: missing),
        weights: [1] + weights + Array(repeating: 1, count: missing), used: tokens.count))
    tokens = []
    weights = []
    lastComma = nil
  }

  mutating func finish() { if !tokens.isEmpty || chunks.isEmpty { finishChunk() } }
}
