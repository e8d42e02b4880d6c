import JSON
import StableDiffusion
import Tensors

/// What a file says about α and rank beside its tensors, as PEFT and diffusers do.
///
/// diffusers writes it into the header as `lora_adapter_metadata`, for each component; PEFT into
/// `adapter_config.json` beside the tensors.
struct AdapterSettings: Sendable {
  private struct Part: Sendable {
    var alpha: Double?
    var alphas: [(pattern: String, value: Double)] = []
    var isRankStabilized = false
  }

  private var parts: [Component: Part] = [:]

  /// No settings.
  static let none = AdapterSettings()

  private init() {}

  /// The settings in the texts of a safetensors header, if any.
  init(metadata: [MetadataEntry]) throws(Fault) {
    guard let text = metadata.first(where: { $0.key == "lora_adapter_metadata" })?.value else {
      return
    }
    guard let json = try? JSONValue(parsing: text), let object = json.object else {
      throw Self.malformed("lora_adapter_metadata", "a JSON object")
    }
    for component in [Component.unet, .textEncoder] {
      let prefix = component.folder + "."
      let members = object.filter { $0.key.utf8.starts(with: prefix.utf8) }.map {
        (String($0.key.dropFirst(prefix.count)), $0.value)
      }
      guard !members.isEmpty else { continue }
      parts[component] = try Self.part(JSONObject(members), "lora_adapter_metadata")
    }
  }

  /// The settings in PEFT's `adapter_config.json`.
  init(config json: JSONValue) throws(Fault) {
    guard let object = json.object else {
      throw Self.malformed("adapter_config.json", "a JSON object")
    }
    if let type = object["peft_type"]?.string, type != "LORA" {
      throw Fault(
        .loraUnmergeable, "is a PEFT adapter of the type \(type)",
        hint: "only PEFT's LoRA is known; convert it with PEFT first")
    }
    let part = try Self.part(object, "adapter_config.json")
    parts = [.unet: part, .textEncoder: part]
  }

  /// Whether nothing was said.
  var isEmpty: Bool { parts.isEmpty }

  private static func part(_ object: JSONObject, _ place: String) throws(Fault) -> Part {
    var part = Part()
    if let alpha = object["lora_alpha"], !alpha.isNull {
      guard let value = alpha.double, value.isFinite else {
        throw malformed("lora_alpha in \(place)", "a number")
      }
      part.alpha = value
    }
    if let patterns = object["alpha_pattern"], !patterns.isNull {
      guard let patterns = patterns.object else {
        throw malformed("alpha_pattern in \(place)", "an object")
      }
      for member in patterns {
        guard let value = member.value.double, value.isFinite, isPlain(member.key) else {
          throw malformed("alpha_pattern in \(place)", "names of modules with a number each")
        }
        part.alphas.append((member.key, value))
      }
    }
    part.isRankStabilized = object["use_rslora"]?.bool ?? false
    return part
  }

  /// Whether a pattern is the end of a name; PEFT takes any regular expression.
  private static func isPlain(_ pattern: String) -> Bool {
    let body = pattern.utf8.first == UInt8(ascii: "^") ? pattern.dropFirst() : pattern[...]
    return body.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"):
        true
      default: false
      }
    }
  }

  /// α of a module, if the settings tell it.
  func alpha(of target: LoRATarget, at stem: TensorName) throws(Fault) -> Double? {
    guard let part = parts[target.component] else { return nil }
    let path = target.path.diffusers
    for (pattern, value) in part.alphas {
      let isWhole = pattern.utf8.first == UInt8(ascii: "^")
      let body = isWhole ? String(pattern.dropFirst()) : pattern
      if path == body || (!isWhole && path.hasSuffix("." + body)) { return value }
    }
    return part.alpha
  }

  /// Whether α is divided by the root of the rank.
  func isRankStabilized(_ target: LoRATarget) -> Bool {
    parts[target.component]?.isRankStabilized ?? false
  }

  private static func malformed(_ what: String, _ expected: String) -> Fault {
    Fault(.loraSettings, "has malformed settings: \(what) is not \(expected)")
  }
}
