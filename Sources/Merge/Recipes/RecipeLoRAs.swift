public import LoRA
import Tensors

/// How a step merges LoRAs, beside their strengths: what the options of `sdtool lora-merge` say.
public struct LoRAPolicies: Hashable, Sendable {
  /// Whether tensors of a LoRA that fit nothing are left out.
  public var allowsUnmatched = false
  /// The direction of DoRA magnitudes whose shape fits both.
  public var magnitudeAxis: Magnitude.Axis?
  /// Behaviours of other programs.
  public var compatibility: Set<LoRACompatibility> = []

  /// The defaults.
  public init() {}
}

// LoRAs in recipes are models like all others: hashed, locked and found again by hash. A step may
// name one, or give its path, which then becomes a model.
extension Recipe {
  /// The recipe with a model for each LoRA that a step names by its path.
  func namingLoRAs() -> Recipe {
    var recipe = self
    var taken = Set(models.map(\.name) + steps.map(\.name))
    var names: [String: String] = [:]
    for step in steps.indices {
      for index in steps[step].loras.indices {
        let text = steps[step].loras[index]
        // What cannot be read is reported with its step.
        guard let path = try? LoRAArgument(text).name, !models.contains(where: { $0.name == path })
        else { continue }
        if names[path] == nil {
          let name = Self.name(forPath: path, taken)
          taken.insert(name)
          names[path] = name
          recipe.models.append(Model(name, path: path))
        }
        recipe.steps[step].loras[index] = Self.replacing(path, by: names[path] ?? path, in: text)
      }
    }
    return recipe
  }

  /// `text` with a path in the place of a name from a prompt: `<lora:style:0.8>` is
  /// `FOLDER/style.safetensors:0.8`.
  static func locatingLoRA(_ text: String, in folder: String?) throws(Fault) -> String {
    // What cannot be read is reported with its step.
    guard let argument = try? LoRAArgument(text), argument.isFromPrompt else { return text }
    guard let folder else {
      throw Fault(
        .recipeValue, "names the LoRA '\(shortened(argument.name))' as in a prompt",
        expected: "its path, or the folder as 'lora-dir'")
    }
    let name = argument.name
    let isFile = [".safetensors", ".pt", ".ckpt", ".bin"].contains { name.hasSuffix($0) }
    let path = (folder.hasSuffix("/") ? folder : folder + "/") + name
    let settings = text.drop { $0 == " " }.dropFirst("<lora:".count + name.count)
      .prefix { $0 != ">" }
    return path + (isFile ? "" : ".safetensors") + settings
  }

  /// A free name like that of the file.
  private static func name(forPath path: String, _ taken: Set<String>) -> String {
    var stem = path.split(separator: "/").last.map(String.init) ?? path
    if let dot = stem.lastIndex(of: "."), dot != stem.startIndex { stem = String(stem[..<dot]) }
    let plain = String(
      stem.unicodeScalars.prefix(60).map { scalar in
        isName(String(scalar)) ? Character(scalar) : "-"
      })
    let base = plain.isEmpty ? "lora" : plain
    guard taken.contains(base) else { return base }
    var number = 2
    while taken.contains("\(base)-\(number)") { number += 1 }
    return "\(base)-\(number)"
  }

  /// `text` with another name, and the same strengths.
  private static func replacing(_ path: String, by name: String, in text: String) -> String {
    guard let range = text.firstRange(of: path) else { return text }
    return text.replacingCharacters(in: range, by: name)
  }

  /// Checks a step that merges LoRAs.
  static func checkLoRAs(_ step: Step, known: Set<String>) throws(Fault) {
    guard step.inputs.count == 1 else {
      throw Fault(
        .recipeValue, "merges LoRAs into one model", found: "\(step.inputs.count) models")
    }
    let hasWeights =
      step.alpha != nil || step.beta != nil || step.gamma != nil || step.density != nil
      || step.epsilon != nil || !step.weights.isEmpty
    guard step.method == Step.loraMethod, !hasWeights else {
      throw Fault(
        .recipeValue, "merges LoRAs and takes no method and no weights",
        hint: "strengths stand after the LoRAs: style.safetensors:0.8")
    }
    for lora in step.loras {
      let name = try LoRAArgument(lora).name
      guard known.contains(name) else {
        throw Fault(.recipeName, "uses the LoRA '\(shortened(name))', which is not defined")
      }
    }
  }
}

extension String {
  /// The text with other characters in the place of `range`.
  fileprivate func replacingCharacters(in range: Range<Index>, by text: String) -> String {
    String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
  }
}
