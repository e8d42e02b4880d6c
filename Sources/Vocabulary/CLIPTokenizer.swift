/// Turns prompts into the token numbers that CLIP's text encoder takes.
///
///     let tokenizer = CLIPTokenizer()
///     tokenizer.tokens(of: "a photo")    // [320, 1125]
///     tokenizer.padded("a photo")        // 49406, 320, 1125, 49407, 49407, … 77 in all
///
/// The numbers are those of `CLIPTokenizer` in transformers. The work grows with the length of the
/// text, also where it is one word.
public struct CLIPTokenizer: Sendable {
  /// What the numbers stand for.
  public let vocabulary: CLIPVocabulary
  /// The number of the token that two neighbours become.
  private let merged: [UInt64: Int]
  /// The token of each byte within a word.
  private let letters: [Int]

  /// The number of tokens that a text encoder takes at once, with the first and the last.
  public static let contextLength = 77

  /// Prepares the merges; takes some tens of milliseconds.
  public init(_ vocabulary: CLIPVocabulary = CLIPVocabulary()) {
    self.vocabulary = vocabulary
    var numbers: [Substring: Int] = [:]
    numbers.reserveCapacity(vocabulary.tokens.count)
    for (number, token) in vocabulary.tokens.enumerated() { numbers[token[...]] = number }
    let first = 2 * 256
    var merged: [UInt64: Int] = [:]
    merged.reserveCapacity(vocabulary.merges.count)
    for (rank, merge) in vocabulary.merges.enumerated() {
      let bytes = merge.utf8
      guard let space = bytes.firstIndex(of: UInt8(ascii: " ")),
        let left = numbers[merge[..<space]],
        let right = numbers[merge[bytes.index(after: space)...]]
      else { continue }
      merged[Self.pair(left, right)] = first + rank
    }
    self.merged = merged
    letters = CLIPVocabulary.tokenOfByte
  }

  /// The tokens of a text, without the ones that begin and end a prompt.
  ///
  /// `<|startoftext|>` and `<|endoftext|>` in the text are those tokens.
  public func tokens(of text: some StringProtocol) -> [Int] {
    var tokens: [Int] = []
    var rest = Substring(text)
    while let (before, token, after) = nextMarker(in: rest) {
      append(before, to: &tokens)
      tokens.append(token)
      rest = after
    }
    append(rest, to: &tokens)
    return tokens
  }

  /// The tokens of a text between the first and the last one, cut or filled up to 77.
  public func padded(_ text: some StringProtocol) -> [Int] {
    let length = Self.contextLength
    let own = [vocabulary.startOfText] + tokens(of: text).prefix(length - 2)
    return own + Array(repeating: vocabulary.endOfText, count: length - own.count)
  }

  /// The text that a token stands for, as in the vocabulary; `nil` for numbers beyond it.
  public func text(of token: Int) -> String? {
    vocabulary.tokens.indices.contains(token) ? vocabulary.tokens[token] : nil
  }

  /// The first special token that is spelled out in `text`.
  private func nextMarker(
    in text: Substring
  ) -> (before: Substring, token: Int, after: Substring)? {
    let bytes = text.utf8
    var start = bytes.startIndex
    while let mark = bytes[start...].firstIndex(of: UInt8(ascii: "<")) {
      for token in [vocabulary.startOfText, vocabulary.endOfText] {
        let name = vocabulary.tokens[token].utf8
        guard bytes[mark...].starts(with: name) else { continue }
        let end = bytes.index(mark, offsetBy: name.count)
        return (Substring(bytes[..<mark]), token, Substring(bytes[end...]))
      }
      start = bytes.index(after: mark)
    }
    return nil
  }

  private func append(_ text: Substring, to tokens: inout [Int]) {
    for word in wordsOfPrompt(text) {
      var symbols: [Int] = []
      for scalar in word {
        for byte in String(scalar).utf8 { symbols.append(letters[Int(byte)]) }
      }
      // The last byte of a word has tokens of its own.
      symbols[symbols.count - 1] += 256
      tokens += merge(symbols)
    }
  }

  /// Joins neighbours, those of the earliest merge first, from left to right.
  private func merge(_ symbols: [Int]) -> [Int] {
    var symbols = symbols
    var next = symbols.indices.map { $0 + 1 }
    var previous = symbols.indices.map { $0 - 1 }
    var queue = MergeQueue()
    func offer(_ left: Int) {
      guard left >= 0, next[left] < symbols.count else { return }
      let right = next[left]
      guard let joined = merged[Self.pair(symbols[left], symbols[right])] else { return }
      queue.push(MergeQueue.Entry(joined: joined, left: left))
    }
    for left in symbols.indices { offer(left) }
    while let entry = queue.pop() {
      let left = entry.left
      // What was joined in the meantime is no longer these two.
      guard symbols[left] >= 0, next[left] < symbols.count,
        merged[Self.pair(symbols[left], symbols[next[left]])] == entry.joined
      else { continue }
      let right = next[left]
      symbols[left] = entry.joined
      symbols[right] = -1
      next[left] = next[right]
      if next[right] < symbols.count { previous[next[right]] = left }
      offer(previous[left])
      offer(left)
    }
    return symbols.filter { $0 >= 0 }
  }

  private static func pair(_ left: Int, _ right: Int) -> UInt64 {
    UInt64(truncatingIfNeeded: left) << 32 | UInt64(truncatingIfNeeded: right)
  }
}

/// Neighbours that can be joined: the earliest merge first, of equal ones the leftmost.
private struct MergeQueue {
  struct Entry: Comparable {
    /// The token that they become; merges come in the order of their tokens.
    let joined: Int
    let left: Int

    static func < (a: Entry, b: Entry) -> Bool { (a.joined, a.left) < (b.joined, b.left) }
  }

  private var heap: [Entry] = []

  mutating func push(_ entry: Entry) {
    heap.append(entry)
    var child = heap.count - 1
    while child > 0, heap[child] < heap[(child - 1) / 2] {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> Entry? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && heap[child] < heap[least] {
        least = child
      }
      guard least != parent else { return first }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
