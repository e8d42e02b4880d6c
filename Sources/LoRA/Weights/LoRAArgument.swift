public import Tensors

/// A LoRA as it is asked for: `style.safetensors:0.8:lbw=OUTD:te=0.5`, or as in a prompt,
/// `<lora:style:0.8:lbw=OUTALL>`.
public struct LoRAArgument: Hashable, Sendable {
  /// The path, or the name from a prompt.
  public let name: String
  /// Whether ``name`` is to be looked for in the folder of LoRAs.
  public let isFromPrompt: Bool
  /// How strongly it counts.
  public let strength: LoRAStrength

  /// Reads what was asked for.
  ///
  /// After the path come a strength, or one for the text encoder and one for the U-Net, and any of
  /// `te=`, `unet=`, `lbw=`, `lbw-rest=` and `lbwe=`, with colons between them.
  ///
  /// - Throws: ``Rule/loraWeights``.
  public init(_ text: String, presets: [String: String] = [:]) throws(Fault) {
    var body = text.trimmed
    isFromPrompt = body.hasPrefix("<lora:") || body.hasPrefix("<lyco:")
    if isFromPrompt {
      guard body.hasSuffix(">") else {
        throw Fault(.loraWeights, "'\(text)' has no closing bracket")
      }
      body = String(body.dropFirst("<lora:".count).dropLast())
    }
    let parts = body.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
    // What follows the path; a path may have colons too.
    var first = parts.count
    while first > 1, Self.isSetting(parts[first - 1]) { first -= 1 }
    name = parts[..<first].joined(separator: ":")
    guard !name.isEmpty else {
      throw Fault(.loraWeights, "'\(text)' names no LoRA", expected: "PATH:strength")
    }
    strength = try Self.strength(parts[first...], presets)
  }

  private static let keys: Set<String> = ["te", "unet", "lbw", "lbw-rest", "lbwe"]
  private static let samplingKeys: Set<String> = ["start", "stop", "step", "hr", "lr"]

  private static func isSetting(_ part: String) -> Bool {
    if Double(part.trimmed) != nil { return true }
    guard let equals = part.firstIndex(of: "=") else { return false }
    let key = String(part[..<equals]).trimmed.lowercased()
    // A word that is no known key is a mistake rather than a part of a path.
    return !key.isEmpty
      && key.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "-")
      }
  }

  private static func strength(
    _ parts: ArraySlice<String>, _ presets: [String: String]
  ) throws(Fault) -> LoRAStrength {
    var numbers: [Double] = []
    var strength = LoRAStrength()
    var values: [String: String] = [:]
    for part in parts {
      if let equals = part.firstIndex(of: "=") {
        let key = String(part[..<equals]).trimmed.lowercased()
        guard
          values.updateValue(String(part[part.index(after: equals)...]).trimmed, forKey: key)
            == nil
        else { throw Fault(.loraWeights, "\(key)= is given twice") }
      } else {
        numbers.append(try number(part, "a strength"))
      }
    }
    switch numbers.count {
    case 0: break
    case 1: strength = LoRAStrength(numbers[0])
    case 2:
      // As in prompts: text encoder first.
      strength = LoRAStrength(numbers[1])
      strength.textEncoder = numbers[0]
    default:
      throw Fault(
        .loraWeights, "has too many strengths", expected: "one, or text encoder and U-Net",
        found: "\(numbers.count)")
    }
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      switch key {
      case "te": strength.textEncoder = try number(value, "te=")
      case "unet": strength.unet = try number(value, "unet=")
      case "lbw": strength.vector = try LoRAVector(value, presets: presets)
      case "lbw-rest": break
      case "lbwe":
        for part in value.split(separator: ";") {
          strength.rules.append(
            try ElementalRule(
              preset: String(part).trimmed,
              or: part.split(separator: "/", omittingEmptySubsequences: false)
                .joined(separator: ":")))
        }
      default:
        throw samplingKeys.contains(key)
          ? Fault(
            .loraWeights, "\(key)= switches a LoRA while sampling, which no merge can do",
            hint: "leave it out")
          : Fault(
            .loraWeights, "there is no setting \(key)=",
            hint: nearest(to: key, in: keys.sorted()).map { "did you mean \($0)=?" }
              ?? "known are \(keys.sorted().map { $0 + "=" }.joined(separator: ", "))")
      }
    }
    if let rest = values["lbw-rest"] {
      guard rest == "0" || rest == "1" else {
        throw Fault(.loraWeights, "lbw-rest= takes 0 or 1", found: rest)
      }
      guard strength.vector != nil else {
        throw Fault(
          .loraWeights, "lbw-rest= is for blocks that a vector does not list",
          expected: "lbw= beside it")
      }
      strength.vector?.rest = rest == "1" ? 1 : 0
    }
    return strength
  }

  private static func number(_ text: String, _ what: String) throws(Fault) -> Double {
    guard let value = Double(text.trimmed), value.isFinite else {
      throw Fault(.loraWeights, "'\(text)' is no number", expected: what)
    }
    return value
  }
}
