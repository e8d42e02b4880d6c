public import Tensors

/// A piece of a prompt and how much it counts.
public struct WeightedText: Hashable, Sendable {
  /// The text, without the brackets that gave it its weight.
  public var text: String
  /// What its embeddings are multiplied by.
  public var weight: Double

  /// A piece with a weight.
  public init(_ text: String, weight: Double = 1) {
    self.text = text
    self.weight = weight
  }
}

/// One part of a prompt.
public enum PromptPart: Hashable, Sendable {
  /// A text with a weight.
  case text(WeightedText)
  /// `BREAK`: what follows begins a new chunk of 75 tokens.
  case lineBreak
}

/// The parts of a prompt, by the rules of the web UIs for emphasis.
///
/// `(word)` counts 1.1 times as much and `[word]` 1/1.1 times, `(word:1.3)` 1.3 times; brackets
/// nest and multiply; `\(` is a bracket that means nothing. A bracket that is not closed reaches to
/// the end. Texts of equal weight that follow each other are one part.
///
///     try promptParts("a (red:1.3) ball")   // "a ", "red" at 1.3, " ball"
///
/// Source: `parse_prompt_attention` of AUTOMATIC1111's web UI.
///
/// - Throws: ``Tensors/Rule/promptSyntax`` for brackets nested more than 64 deep, and for a weight
///   that is not a number.
public func promptParts(_ prompt: String) throws(Fault) -> [PromptPart] {
  var reader = EmphasisReader(Array(prompt.unicodeScalars))
  return try reader.parts()
}

/// Reads brackets; the counterpart of a regular expression.
private struct EmphasisReader {
  private struct Piece {
    var text: [UnicodeScalar]
    var weight: Double?
  }

  private let scalars: [UnicodeScalar]
  private var position = 0
  /// No weight is a break.
  private var pieces: [Piece] = []
  /// Where open brackets began.
  private var round: [Int] = []
  private var square: [Int] = []

  init(_ scalars: [UnicodeScalar]) { self.scalars = scalars }

  mutating func parts() throws(Fault) -> [PromptPart] {
    while position < scalars.count { try readNext() }
    for start in round { multiply(from: start, by: 1.1) }
    for start in square { multiply(from: start, by: 1 / 1.1) }
    var parts: [PromptPart] = []
    for piece in pieces {
      guard let weight = piece.weight else {
        parts.append(.lineBreak)
        continue
      }
      var text = ""
      text.unicodeScalars.append(contentsOf: piece.text)
      if case .text(var last)? = parts.last, last.weight == weight {
        last.text += text
        parts[parts.count - 1] = .text(last)
      } else {
        parts.append(.text(WeightedText(text, weight: weight)))
      }
    }
    return parts.isEmpty ? [.text(WeightedText(""))] : parts
  }

  private mutating func readNext() throws(Fault) {
    let scalar = scalars[position]
    switch scalar {
    case "\\":
      position += 1
      guard position < scalars.count, "()[]\\".unicodeScalars.contains(scalars[position]) else {
        append([])
        return
      }
      append([scalars[position]])
      position += 1
    case "(", "[":
      guard round.count + square.count < 64 else {
        throw .promptSyntax("has brackets nested more than 64 deep")
      }
      if scalar == "(" { round.append(pieces.count) } else { square.append(pieces.count) }
      position += 1
    case ":":
      if let (weight, end) = try weight(), let start = round.popLast() {
        multiply(from: start, by: weight)
        position = end
      } else {
        append([scalar])
        position += 1
      }
    case ")":
      if let start = round.popLast() { multiply(from: start, by: 1.1) } else { append([scalar]) }
      position += 1
    case "]":
      if let start = square.popLast() {
        multiply(from: start, by: 1 / 1.1)
      } else {
        append([scalar])
      }
      position += 1
    default:
      var end = position
      while end < scalars.count, !"\\()[]:".unicodeScalars.contains(scalars[end]) { end += 1 }
      appendWithBreaks(position..<end)
      position = end
    }
  }

  /// A weight `: 1.2)` that begins here inside round brackets, and where it ends.
  private func weight() throws(Fault) -> (Double, end: Int)? {
    guard !round.isEmpty else { return nil }
    var place = position + 1
    while place < scalars.count, scalars[place].properties.isWhitespace { place += 1 }
    var digits = ""
    while place < scalars.count, "+-.0123456789".unicodeScalars.contains(scalars[place]),
      digits.isEmpty || !"+-".unicodeScalars.contains(scalars[place])
    {
      digits.unicodeScalars.append(scalars[place])
      place += 1
    }
    while place < scalars.count, scalars[place].properties.isWhitespace { place += 1 }
    guard place < scalars.count, scalars[place] == ")",
      digits.contains(where: { $0 == "." || $0.isNumber })
    else { return nil }
    guard let weight = Double(normalized(digits)), weight.isFinite, abs(weight) <= 1000 else {
      throw .promptSyntax(
        "has a weight that is not a number", found: "'\(digits)'",
        hint: "write (word:1.2), or \\( and \\) for brackets that are part of the text")
    }
    return (weight, place + 1)
  }

  /// Python takes `.5`, `5.` and `+5` for numbers.
  private func normalized(_ digits: String) -> String {
    var text = digits
    if text.hasPrefix("+") { text.removeFirst() }
    if text.hasPrefix(".") { text = "0" + text }
    if text.hasPrefix("-.") { text = "-0" + text.dropFirst() }
    if text.hasSuffix(".") { text += "0" }
    return text
  }

  private mutating func append(_ text: [UnicodeScalar]) {
    pieces.append(Piece(text: text, weight: 1))
  }

  /// Appends plain text, cut at each word `BREAK`.
  private mutating func appendWithBreaks(_ range: Range<Int>) {
    let word = Array("BREAK".unicodeScalars)
    var start = range.lowerBound, place = start
    while place + word.count <= range.upperBound {
      let end = place + word.count
      guard scalars[place] == "B", Array(scalars[place..<end]) == word,
        place == 0 || !isWord(scalars[place - 1]), end == scalars.count || !isWord(scalars[end])
      else {
        place += 1
        continue
      }
      var stop = place
      while stop > start, scalars[stop - 1].properties.isWhitespace { stop -= 1 }
      append(Array(scalars[start..<stop]))
      pieces.append(Piece(text: [], weight: nil))
      place = end
      while place < range.upperBound, scalars[place].properties.isWhitespace { place += 1 }
      start = place
    }
    append(Array(scalars[start..<range.upperBound]))
  }

  /// Whether a scalar belongs to a word of a regular expression.
  private func isWord(_ scalar: UnicodeScalar) -> Bool {
    scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
  }

  private mutating func multiply(from start: Int, by factor: Double) {
    for index in start..<pieces.count {
      pieces[index].weight = pieces[index].weight.map { $0 * factor }
    }
  }
}
