import StableDiffusion
public import Tensors

/// A weight for some layers of some blocks: `IN05-OUT05:attn:0.5`.
///
/// Of several that fit, the last counts, in the place of the block's weight.
public struct ElementalRule: Hashable, Sendable {
  /// The rule as it was given.
  public let text: String
  private let blocks: Set<Place>?
  private let elements: [String]
  private let excludesElements: Bool
  /// The weight.
  let weight: Double

  /// A rule `BLOCKS:ELEMENTS:weight`.
  ///
  /// Blocks are names and ranges with blanks between them, elements parts of layer names; either
  /// may be empty for all, or begin with `NOT`.
  ///
  /// - Throws: ``Rule/loraWeights``.
  public init(_ text: String) throws(Fault) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      .map { String($0).trimmed }
    guard parts.count == 3, let weight = Double(parts[2]), weight.isFinite else {
      throw Fault(
        .loraWeights, "'\(text)' is no elemental rule",
        expected: "BLOCKS:ELEMENTS:weight, like IN05-OUT05:attn:0.5")
    }
    self.text = text
    self.weight = weight
    blocks = try Self.blocks(parts[0])
    var words = parts[1].split(separator: " ").map { $0.lowercased() }
    excludesElements = words.first == "not"
    if excludesElements { words.removeFirst() }
    elements = words
  }

  /// A rule by its name among those that sd-webui-lora-block-weight has, or else as `text` has it.
  init(preset name: String, or text: String) throws(Fault) {
    try self.init(Self.presets[name] ?? text)
  }

  /// The rules that sd-webui-lora-block-weight brings.
  private static let presets = [
    "ATTNDEEPON": "IN05-OUT05:attn:1", "ATTNDEEPOFF": "IN05-OUT05:attn:0",
    "PROJDEEPOFF": "IN05-OUT05:proj:0",
  ]

  private static func blocks(_ text: String) throws(Fault) -> Set<Place>? {
    var words = text.split { $0 == " " || $0 == "," }
    let excludes = words.first?.uppercased() == "NOT"
    if excludes { words.removeFirst() }
    guard !words.isEmpty else { return nil }
    var blocks: Set<Place> = []
    for word in words {
      let ends = word.split(separator: "-")
      guard (1...2).contains(ends.count), let first = ends.first.flatMap(LoRABlocks.block),
        let last = ends.last.flatMap(LoRABlocks.block),
        let low = LoRABlocks.all.firstIndex(of: first),
        let high = LoRABlocks.all.firstIndex(of: last), low <= high
      else {
        throw Fault(
          .loraWeights, "'\(word)' is no block",
          expected: "BASE, IN00 to IN11, M00, OUT00 to OUT11, or a range like IN05-OUT05")
      }
      blocks.formUnion(LoRABlocks.all[low...high])
    }
    return excludes ? Set(LoRABlocks.all).subtracting(blocks) : blocks
  }

  /// Whether the rule is about a module.
  func covers(_ target: LoRATarget) -> Bool {
    if let blocks, !blocks.contains(target.place) { return false }
    guard !elements.isEmpty else { return true }
    let names = [target.path.ldm, target.path.diffusers, target.path.ldm.joinedByUnderscore]
    let found = elements.contains { element in names.contains { $0.contains(element) } }
    return found != excludesElements
  }
}
