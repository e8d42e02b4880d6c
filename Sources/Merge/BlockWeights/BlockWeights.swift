public import StableDiffusion
public import Tensors

/// The weights of a block-weighted merge, as people exchange them: 25 numbers for the U-Net's
/// blocks, and perhaps one before them for everything else.
///
///     let weights = try BlockWeights("0.2, 0,0,0,0,0,0,0,0,0,0,0,0, 0.5, 1,1,1,1,1,1,1,1,1,1,1,1")
///     weights.base        // 0.2
///     weights[.m00]       // 0.5
///     try BlockWeights("GRAD_V..GRAD_A@0.3")
///
/// Which tensors a number applies to is up to a ``Dialect``.
public struct BlockWeights: Hashable, Sendable {
  /// Where the numbers come from.
  public enum Origin: Hashable, Sendable {
    /// They were written out.
    case list
    /// A preset, or two presets interpolated, spelled as in ``BlockWeights/init(_:presets:)``.
    case preset(String)
  }

  /// The weight of `BASE`, if there is one.
  public let base: Double?
  /// The weights of ``places``, in that order.
  public let blocks: [Double]
  /// Weights of places that the usual lists lack: ComfyUI's sliders have some.
  public let extras: [Place: Double]
  /// Where the numbers come from.
  public let origin: Origin

  /// The 25 places that the usual lists have weights for: `IN00`…`IN11`, `M00`, `OUT00`…`OUT11`.
  public static let places = Place.allCases.filter { (.in00 ... .out11).contains($0) }

  /// The given numbers; `nil` unless there are 25 for the blocks, all of them finite.
  public init?(base: Double?, blocks: [Double], origin: Origin = .list) {
    guard blocks.count == Self.places.count, (blocks + [base ?? 0]).allSatisfy(\.isFinite) else {
      return nil
    }
    self.init(base, blocks, origin: origin)
  }

  init(_ base: Double?, _ blocks: [Double], extras: [Place: Double] = [:], origin: Origin) {
    self.base = base
    self.blocks = blocks
    self.extras = extras
    self.origin = origin
  }

  /// The weight in the list for `place`, or `nil` if it is not one of ``places``.
  public subscript(place: Place) -> Double? {
    guard place >= .in00, place <= .out11 else { return nil }
    return blocks[Int(place.rawValue - Place.in00.rawValue)]
  }

  /// The same numbers without the one for `BASE`.
  public var withoutBase: BlockWeights {
    BlockWeights(nil, blocks, extras: extras, origin: .list)
  }

  /// The same numbers, each times `factor`.
  public func scaled(by factor: Double) -> BlockWeights {
    BlockWeights(
      base.map { $0 * factor }, blocks.map { $0 * factor },
      extras: extras.mapValues { $0 * factor }, origin: .list)
  }

  /// The numbers with commas between them, `BASE` first if there is one.
  public var list: String {
    ((base.map { [$0] } ?? []) + blocks).map(spelled).joined(separator: ",")
  }
}

extension BlockWeights {
  /// Reads weights as they are given on a command line.
  ///
  /// One of
  /// - 25 or 26 numbers with commas between them, spaces allowed;
  /// - 3 or 30 numbers: ComfyUI's ratios for `input`, `middle` and `out`, or one for each of its
  ///   sliders `time_embed.`, `label_emb.`, `input_blocks.0.`…, `middle_block.0.`…`2.`,
  ///   `output_blocks.0.`…, `out.`;
  /// - the name of a preset, such as `GRAD_V`;
  /// - `FIRST..SECOND@SHARE`, two presets and how much of the second one counts:
  ///   `GRAD_V..GRAD_A@0.3` is 0.7 of `GRAD_V` plus 0.3 of `GRAD_A`. `BASE` takes part if both
  ///   have it.
  ///
  /// - Throws: ``Tensors/Rule/weightCount``, ``Tensors/Rule/weightSyntax``,
  ///   ``Tensors/Rule/randomWeight`` or ``Tensors/Rule/unknownPreset``.
  public init(_ text: String, presets: PresetLibrary = .classic) throws(Fault) {
    let text = String(trimmed(text))
    if let preset = presets[text] {
      self = preset.weights
    } else if text.contains(",") {
      try self.init(list: text)
    } else if let dots = text.firstRange(of: "..") {
      self = try Self.interpolation(text, dots: dots, presets: presets)
    } else {
      self = try presets.preset(named: text).weights
    }
  }

  /// Reads `FIRST..SECOND@SHARE`.
  private static func interpolation(
    _ text: String, dots: Range<String.Index>, presets: PresetLibrary
  ) throws(Fault) -> BlockWeights {
    guard let at = text.lastIndex(of: "@"), at >= dots.upperBound else {
      throw Fault(
        .weightSyntax, "interpolates presets without saying how far",
        expected: "FIRST..SECOND@SHARE", found: "'\(shortened(text))'",
        hint: "for example GRAD_V..GRAD_A@0.3")
    }
    let first = try presets.preset(named: String(trimmed(text[..<dots.lowerBound])))
    let second = try presets.preset(named: String(trimmed(text[dots.upperBound..<at])))
    let share = try readWeight(
      trimmed(text[text.index(after: at)...]), at: "the share of '\(second.name)'")
    func mix(_ a: Double, _ b: Double) -> Double { (1 - share) * a + share * b }
    let (a, b) = (first.weights, second.weights)
    var base: Double?
    if let ofA = a.base, let ofB = b.base { base = mix(ofA, ofB) }
    return BlockWeights(
      base, zip(a.blocks, b.blocks).map(mix),
      origin: .preset("\(first.name)..\(second.name)@\(spelled(share))"))
  }
}

extension BlockWeights {
  /// Reads numbers with commas between them.
  init(list text: some StringProtocol) throws(Fault) {
    let entries = text.split(separator: ",", maxSplits: 100, omittingEmptySubsequences: false)
      .map { trimmed($0) }
    let names = Self.positionNames(count: entries.count)
    guard let names else { throw Self.wrongCount(entries) }
    var weights: [Double] = []
    for (position, (entry, name)) in zip(entries, names).enumerated() {
      weights.append(try readWeight(entry, at: "position \(position + 1) (\(name))"))
    }
    self = try Self.arranged(weights)
  }

  /// Gives each of 3, 25, 26 or 30 numbers its place.
  private static func arranged(_ weights: [Double]) throws(Fault) -> BlockWeights {
    func repeated(_ count: Int, _ weight: Double) -> [Double] {
      Array(repeating: weight, count: count)
    }
    switch weights.count {
    case 3:
      // Names that begin with neither `input`, `middle` nor `out` take the node's first ratio.
      let (input, middle, out) = (weights[0], weights[1], weights[2])
      return BlockWeights(
        nil, repeated(12, input) + [middle] + repeated(12, out),
        extras: [.time: input, .label: input, .out: out], origin: .list)
    case 25: return BlockWeights(nil, weights, origin: .list)
    case 26: return BlockWeights(weights[0], Array(weights.dropFirst()), origin: .list)
    default:
      guard weights[14] == weights[15], weights[15] == weights[16] else {
        throw Fault(
          .contradictingWeights, "has different ratios for the three parts of the middle block",
          expected: "one ratio", found: weights[14...16].map(spelled).joined(separator: ", "),
          hint: "give one, and elemental rules such as M00:middle_block.1.:0.3 for the parts")
      }
      return BlockWeights(
        nil, Array(weights[2..<14]) + [weights[14]] + Array(weights[17..<29]),
        extras: [.time: weights[0], .label: weights[1], .out: weights[29]], origin: .list)
    }
  }

  /// What each of `count` numbers is for, or `nil` if no list has so many.
  static func positionNames(count: Int) -> [String]? {
    switch count {
    case 3: ["input", "middle", "out"]
    case 25: places.map(\.description)
    case 26: ["BASE"] + places.map(\.description)
    case 30:
      ["time_embed.", "label_emb."] + (0..<12).map { "input_blocks.\($0)." }
        + (0..<3).map { "middle_block.\($0)." } + (0..<12).map { "output_blocks.\($0)." } + ["out."]
    default: nil
    }
  }

  /// What is wrong with a list of another length, and where it probably went wrong.
  private static func wrongCount(_ entries: [Substring]) -> Fault {
    let found =
      entries.count > 100
      ? "more than 100" : "\(entries.count) value\(entries.count == 1 ? "" : "s")"
    var hint: String?
    for (position, entry) in entries.enumerated() {
      let place = "position \(position + 1)"
      let parts = entry.split(whereSeparator: \.isWhitespace)
      if entry.isEmpty {
        hint = "\(place) is empty"
      } else if parts.count > 1 {
        hint = "\(place) holds '\(shortened(entry))': a comma seems to be missing"
      } else if let weight = Double(entry), abs(weight) > 2 {
        hint = "\(place) is \(shortened(entry)): is a comma meant as a decimal point?"
      } else if Double(entry) == nil {
        hint = "\(place) is '\(shortened(entry))', which is no number"
      }
      if hint != nil { break }
    }
    if hint == nil, let names = positionNames(count: 26), entries.count < 25 {
      hint =
        "the list ends with the value for \(names[entries.count]), "
        + "or for \(names[entries.count - 1]) if it begins with BASE"
    } else if hint == nil, entries.count <= 100 {
      hint = "there are \(entries.count - 26) too many for a list that begins with BASE"
    }
    return Fault(
      .weightCount, "has the wrong number of block weights",
      expected: "25 (IN00 to OUT11) or 26 (BASE first)", found: found, hint: hint)
  }
}
