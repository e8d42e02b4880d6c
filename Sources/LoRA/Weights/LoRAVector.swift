public import StableDiffusion
public import Tensors

/// A weight for each block of a LoRA, as `lbw=` gives it.
///
///     let vector = try LoRAVector("OUTD")
///     vector[.out04]   // 1
public struct LoRAVector: Hashable, Sendable {
  /// The name of the preset, or the values as they were given.
  public let text: String
  /// The weights of the blocks that are listed.
  private let weights: [Place: Double]
  /// The weight of a block that is not listed.
  public var rest = 0.0

  /// A preset by name, or 12, 17, 20 or 26 numbers with commas between them.
  ///
  /// - Parameters:
  ///   - text: what follows `lbw=`.
  ///   - presets: presets beside ``presets``, which come first.
  /// - Throws: ``Rule/loraWeights``.
  public init(_ text: String, presets: [String: String] = [:]) throws(Fault) {
    var values = text
    if !text.contains(",") {
      guard let preset = presets[text] ?? Self.presets.first(where: { $0.name == text })?.values
      else {
        guard text != "FLUXALL" else {
          throw Fault(
            .loraWeights, "FLUXALL is for LoRAs of Flux", hint: "ALL is all of this model")
        }
        let near = nearest(
          to: text.uppercased(), in: Self.presets.map(\.name) + presets.keys.sorted())
        let usual = Self.usualPresets.map(\.name) + presets.keys.sorted()
        throw Fault(
          .loraWeights, "there is no preset of block weights called '\(text)'",
          hint: near.map { "did you mean \($0)?" }
            ?? "known are \(usual.joined(separator: ", ")), and single blocks like IN05 and NIN05")
      }
      values = preset
    }
    let numbers = values.split(separator: ",", omittingEmptySubsequences: false)
    guard let listed = LoRABlocks.listed(numbers.count) else {
      throw Fault(
        .loraWeights, "a vector of block weights has the wrong length",
        expected: "12, 17, 20 or 26 values", found: "\(numbers.count)")
    }
    var weights: [Place: Double] = [:]
    for (place, text) in zip(listed, numbers) {
      let text = String(text).trimmed
      guard let value = Double(text), value.isFinite else {
        throw Fault(
          .loraWeights, "'\(text)' is no block weight",
          expected: "a number for \(LoRABlocks.name(place))",
          hint: ["R", "U", "X"].contains(text.prefix(1).uppercased())
            ? "random and plotted weights have no fixed value; give numbers" : nil)
      }
      weights[place] = value
    }
    self.text = text
    self.weights = weights
  }

  /// The weight of a place.
  ///
  /// Time embedding and output layers are no blocks: they count fully.
  public subscript(place: Place) -> Double {
    switch place {
    case .time, .out, .label, .vae: 1
    default: weights[place] ?? rest
    }
  }

  /// The presets that sd-webui-lora-block-weight and supermerger know, the usual ones first.
  ///
  /// After them, as the extension's own file has them, one for each of the 17 blocks by itself
  /// (`IN05`), and one for all but that (`NIN05`).
  public static let presets = usualPresets + blockPresets

  private static let usualPresets: [(name: String, values: String)] = [
    ("NONE", "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0"),
    ("NOT", "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0"),
    ("ALL", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"),
    ("ALL0.5", "0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5"),
    ("INS", "1,1,1,1,0,0,0,0,0,0,0,0,0,0,0,0,0"),
    ("IND", "1,0,0,0,1,1,1,0,0,0,0,0,0,0,0,0,0"),
    ("INALL", "1,1,1,1,1,1,1,0,0,0,0,0,0,0,0,0,0"),
    ("MIDD", "1,0,0,0,1,1,1,1,1,1,1,1,0,0,0,0,0"),
    ("OUTD", "1,0,0,0,0,0,0,0,1,1,1,1,0,0,0,0,0"),
    ("OUTS", "1,0,0,0,0,0,0,0,0,0,0,0,1,1,1,1,1"),
    ("OUTALL", "1,0,0,0,0,0,0,0,1,1,1,1,1,1,1,1,1"),
  ]

  private static let blockPresets: [(name: String, values: String)] = {
    let blocks = LoRABlocks.listed(17) ?? []
    func preset(_ prefix: String, own: String, others: String) -> [(name: String, values: String)] {
      blocks.map { block in
        // The extension calls the middle block MID here, as many others do.
        let name = block == .m00 ? "MID" : LoRABlocks.name(block)
        return (
          prefix + name, blocks.map { $0 == block ? own : others }.joined(separator: ",")
        )
      }
    }
    return preset("", own: "1", others: "0") + preset("N", own: "0", others: "1")
  }()

  /// Presets in a text with one `NAME:v,v,…` a line, as the extension keeps them.
  public static func presets(in text: String) -> [String: String] {
    var presets: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let name = String(line[..<colon]).trimmed
      presets[name] = String(line[line.index(after: colon)...]).trimmed
    }
    return presets
  }
}

extension String {
  /// The text without blanks at its ends.
  var trimmed: String {
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
    let start = self[...].drop(while: isBlank)
    return String(start.reversed().drop(while: isBlank).reversed())
  }
}
