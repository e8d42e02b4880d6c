import StableDiffusion
public import Tensors

/// Weights for single kinds of tensors, as SuperMerger's elemental merge gives them.
///
///     try ElementalRules("OUT03-OUT05:attn2 attn1.to_out:0.5, NOT OUT04:attn:1")
///
/// A rule is `BLOCKS:ELEMENTS:RATIO`, with commas or line breaks between rules:
/// - blocks are separated by spaces: names (`BASE`, `IN00`…, `M00`, `OUT00`…`OUT11`; also the single
///   places `CLIP`, `VAE`, `TIME`, `OUT`), ranges `OUT03-OUT05` with both ends, or nothing for all;
/// - elements are parts of tensor names in single-file checkpoints, separated by spaces, or
///   nothing for all;
/// - `NOT` at the beginning of either selects the others.
///
/// The last rule that selects a tensor counts, over all other weights. What a dialect keeps from
/// the first model changes only by a rule that names the place itself (`VAE`).
public struct ElementalRules: Hashable, Sendable {
  /// One rule.
  public struct Rule: Hashable, Sendable {
    /// The named blocks.
    let blocks: [Selector]
    /// Whether the others are meant.
    let excludesBlocks: Bool
    /// Parts of tensor names.
    let elements: [String]
    /// Whether tensors without them are meant.
    let excludesElements: Bool
    /// The weight of the second model, or of the first one in a dialect that inverts.
    public let ratio: Double
    /// The rule as it was written, with single spaces.
    public let text: String
  }

  /// A block of the tools' lists, or one of our places.
  enum Selector: Hashable, Sendable {
    /// A block of the tools' lists by position: 0 is `BASE`, 1 `IN00`, 25 `OUT11`.
    case blocks(ClosedRange<Int>)
    /// A place that the lists have no name for.
    case place(Place)
  }

  /// The rules, in order.
  public let rules: [Rule]

  /// The longest text that is accepted, in bytes: each tensor is held against each rule.
  static let maximumByteCount = 1 << 15

  /// No rules.
  public init() { rules = [] }

  /// Reads rules.
  ///
  /// - Throws: ``Tensors/Rule/elementalRule``, ``Tensors/Rule/unknownPlace`` or
  ///   ``Tensors/Rule/weightSyntax``, with the number of the rule and its line and column.
  public init(_ text: String) throws(Fault) {
    guard text.utf8.count <= Self.maximumByteCount else {
      throw Fault(
        .elementalRule, "has too many elemental rules",
        expected: "at most \(Self.maximumByteCount) bytes", found: "\(text.utf8.count)")
    }
    var rules: [Rule] = []
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      for part in line.split(separator: ",", omittingEmptySubsequences: false) {
        let rule = trimmed(part)
        guard !rule.isEmpty else { continue }
        do throws(Fault) {
          rules.append(try Rule(rule))
        } catch {
          var fault = error
          let column = line[..<rule.startIndex].count + 1
          fault.message =
            "has an elemental rule \(rules.count + 1) (line \(index + 1), column \(column)) that "
            + fault.message
          throw fault
        }
      }
    }
    self.rules = rules
  }

  /// The rules with a line break after each but the last.
  public var text: String { rules.map(\.text).joined(separator: "\n") }

  /// The ratio for a tensor, or `nil` if no rule selects it.
  ///
  /// - Parameters:
  ///   - name: its name in a single-file checkpoint.
  ///   - place: where it is.
  ///   - dialect: the convention by which places belong to blocks.
  ///   - isKept: whether the dialect or a setting keeps the place from the first model.
  /// - Returns: the ratio as written.
  func ratio(
    for name: TensorName, at place: Place, in dialect: Dialect, isKept: Bool
  ) -> Double? {
    let block =
      dialect.block(of: place)
      .map { Int($0.rawValue) - Int(Place.in00.rawValue) + 1 } ?? 0
    return rules.last {
      $0.selects(block: block, place: place, isKept: isKept) && $0.selects(name)
    }?.ratio
  }
}

extension ElementalRules.Rule {
  /// Whether tensors of the block, at the place, are meant.
  fileprivate func selects(block: Int, place: Place, isKept: Bool) -> Bool {
    let namesPlace = blocks.contains(.place(place))
    if isKept { return namesPlace && !excludesBlocks }
    guard !blocks.isEmpty else { return true }
    let isNamed =
      namesPlace
      || blocks.contains {
        if case .blocks(let range) = $0 { range.contains(block) } else { false }
      }
    return isNamed != excludesBlocks
  }

  /// Whether tensors called `name` are meant.
  fileprivate func selects(_ name: TensorName) -> Bool {
    guard !elements.isEmpty else { return true }
    return elements.contains { name.contains($0) } != excludesElements
  }

  /// Reads one rule; faults complete the sentence "… has a rule that".
  fileprivate init(_ text: Substring) throws(Fault) {
    let parts = text.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 3 else {
      let colons = text.count { $0 == ":" }
      throw Fault(
        .elementalRule, "has \(colons) colon\(colons == 1 ? "" : "s")",
        expected: "BLOCKS:ELEMENTS:RATIO", found: "'\(shortened(text))'",
        hint: "leave blocks or elements empty for all, as in '::0.5'")
    }
    var blockWords = parts[0].split(whereSeparator: \.isWhitespace)
    var elementWords = parts[1].split(whereSeparator: \.isWhitespace)
    excludesBlocks = Self.removeNot(&blockWords)
    excludesElements = Self.removeNot(&elementWords)
    guard !(excludesBlocks && blockWords.isEmpty), !(excludesElements && elementWords.isEmpty)
    else {
      throw Fault(
        .elementalRule, "says NOT without saying what", found: "'\(shortened(text))'")
    }
    var blocks: [ElementalRules.Selector] = []
    for word in blockWords { blocks.append(try Self.selector(word)) }
    self.blocks = blocks
    elements = elementWords.map(String.init)
    ratio = try readWeight(trimmed(parts[2]), at: "its end")
    self.text = [
      (excludesBlocks ? ["NOT"] : []) + blockWords.map { $0.uppercased() },
      (excludesElements ? ["NOT"] : []) + elements, [spelled(ratio)],
    ].map { $0.joined(separator: " ") }.joined(separator: ":")
  }

  private static func removeNot(_ words: inout [Substring]) -> Bool {
    guard words.first?.uppercased() == "NOT" else { return false }
    words.removeFirst()
    return true
  }

  private static func selector(_ word: Substring) throws(Fault) -> ElementalRules.Selector {
    guard let hyphen = word.firstIndex(of: "-") else {
      if let block = position(word) { return .blocks(block...block) }
      if let place = Place(word) { return .place(place) }
      throw unknown(word)
    }
    let (first, last) = (word[..<hyphen], word[word.index(after: hyphen)...])
    guard let begin = position(first) else { throw unknown(first) }
    guard let end = position(last) else { throw unknown(last) }
    guard begin <= end else {
      throw Fault(
        .elementalRule, "has a range of blocks that runs backwards", expected: "\(last)-\(first)",
        found: "\(word)")
    }
    return .blocks(begin...end)
  }

  /// The position of a block in lists that begin with `BASE`.
  private static func position(_ name: Substring) -> Int? {
    if name.uppercased() == "BASE" { return 0 }
    return Place(name).flatMap { BlockWeights.places.firstIndex(of: $0) }.map { $0 + 1 }
  }

  private static func unknown(_ name: Substring) -> Fault {
    Fault(
      .unknownPlace, "names an unknown block", expected: "BASE, IN00 to IN11, M00, OUT00 to OUT11",
      found: "'\(shortened(name))'",
      hint: suggestion(for: String(name), among: ["BASE"] + Place.allCases.map(\.description)))
  }
}

extension TensorName {
  /// Whether `part` occurs in the name, compared as bytes.
  func contains(_ part: String) -> Bool {
    var name = string
    var part = part
    return name.withUTF8 { name in
      part.withUTF8 { part in
        guard part.count <= name.count else { return false }
        for start in 0...(name.count - part.count)
        where unsafe name[start..<start + part.count].elementsEqual(part) {
          return true
        }
        return false
      }
    }
  }
}
