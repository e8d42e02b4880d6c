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
        let known = Self.presets.map(\.name) + presets.keys.sorted()
        let near = nearest(to: text.uppercased(), in: known)
        throw Fault(
          .loraWeights, "there is no preset of block weights called '\(text)'",
          hint: near.map { "did you mean \($0)?" }
            ?? "known are \(known.joined(separator: ", "))")
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

  /// The presets of sd-webui-lora-block-weight.
  public static let presets: [(name: String, values: String)] = [
    ("NONE", "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0"),
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
