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
    /// PEFT's LoKr is divided by the rank that was asked for, even if nothing is factored.
    var rank: Double?
    var ranks: [(pattern: String, value: Double)] = []
    /// The ends of the names of modules whose inputs IA3 multiplies; `nil` if it cannot be told.
    var inputEnds: [String]?
    var rotation: RotationSettings?
  }

  /// How PEFT's OFT computes rotations.
  struct RotationSettings: Sendable {
    let cayley: InputRotation.Cayley
    let bound: Double?
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
    let type = object["peft_type"]?.string ?? "LORA"
    guard Self.types.contains(type) else {
      throw Fault(
        .loraUnmergeable, "is a PEFT adapter of the type \(type)",
        expected: "one of \(Self.types.joined(separator: ", "))",
        hint: "merge it with PEFT, then use sdtool lora-extract")
    }
    var part = try Self.part(object, "adapter_config.json")
    // What PEFT takes for one that is not written.
    if ["LORA", "LOHA", "LOKR"].contains(type), part.alpha == nil { part.alpha = 8 }
    switch type {
    case "LOKR":
      part.rank = try Self.number(object, "r", "adapter_config.json")
      part.ranks = try Self.patterns(object, "rank_pattern", "adapter_config.json")
    case "IA3": part.inputEnds = try Self.inputEnds(object)
    case "OFT": part.rotation = try Self.rotation(object)
    default: break
    }
    parts = [.unet: part, .textEncoder: part]
  }

  /// The types of PEFT that are a fixed change of weights, and known.
  private static let types = ["LORA", "LOHA", "LOKR", "IA3", "OFT", "BOFT"]

  private static func inputEnds(_ object: JSONObject) throws(Fault) -> [String]? {
    guard let modules = object["feedforward_modules"], !modules.isNull else { return [] }
    // A single text is a regular expression.
    guard let names = modules.array else { return nil }
    var ends: [String] = []
    for name in names {
      guard let name = name.string else {
        throw malformed("feedforward_modules in adapter_config.json", "a list of names")
      }
      ends.append(name)
    }
    return ends
  }

  private static func rotation(_ object: JSONObject) throws(Fault) -> RotationSettings {
    guard object["oft_block_size"] != nil else {
      throw Fault(
        .loraUnmergeable, "is an OFT of PEFT before 0.14, which later ones do not read either",
        hint: "merge it with PEFT 0.13, then use sdtool lora-extract")
    }
    let isBounded = object["coft"]?.bool ?? false
    let eps = try number(object, "eps", "adapter_config.json") ?? 6e-5
    guard object["use_cayley_neumann"]?.bool ?? false else {
      return RotationSettings(cayley: .exact, bound: isBounded ? eps : nil)
    }
    let terms = try number(object, "num_cayley_neumann_terms", "adapter_config.json") ?? 5
    guard let terms = Int(exactly: terms), (1...100).contains(terms) else {
      throw malformed("num_cayley_neumann_terms in adapter_config.json", "a number from 1 to 100")
    }
    return RotationSettings(cayley: .series(terms: terms), bound: isBounded ? eps : nil)
  }

  /// Whether nothing was said.
  var isEmpty: Bool { parts.isEmpty }

  private static func part(_ object: JSONObject, _ place: String) throws(Fault) -> Part {
    var part = Part()
    // LoHa and LoKr call it alpha.
    part.alpha = try number(object, "lora_alpha", place)
    if part.alpha == nil { part.alpha = try number(object, "alpha", place) }
    part.alphas = try patterns(object, "alpha_pattern", place)
    part.isRankStabilized = object["use_rslora"]?.bool ?? false
    return part
  }

  private static func number(
    _ object: JSONObject, _ key: String, _ place: String
  ) throws(Fault) -> Double? {
    guard let number = object[key], !number.isNull else { return nil }
    guard let value = number.double, value.isFinite else {
      throw malformed("\(key) in \(place)", "a number")
    }
    return value
  }

  private static func patterns(
    _ object: JSONObject, _ key: String, _ place: String
  ) throws(Fault) -> [(pattern: String, value: Double)] {
    guard let patterns = object[key], !patterns.isNull else { return [] }
    guard let patterns = patterns.object else { throw malformed("\(key) in \(place)", "an object") }
    var values: [(pattern: String, value: Double)] = []
    for member in patterns {
      guard let value = member.value.double, value.isFinite, isPlain(member.key) else {
        throw malformed(
          "\(key) in \(place)",
          "ends of module names with a number each (write regular expressions out)")
      }
      values.append((member.key, value))
    }
    return values
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
    return Self.value(for: target, among: part.alphas) ?? part.alpha
  }

  /// The rank that was asked for of an adapter that has none in its shapes.
  func rank(of target: LoRATarget, _ adapter: Adapter) -> Int? {
    guard case .kronecker = adapter, let part = parts[target.component] else { return nil }
    return (Self.value(for: target, among: part.ranks) ?? part.rank)
      .flatMap { Int(exactly: $0) }.flatMap { $0 > 0 ? $0 : nil }
  }

  /// Whether IA3 multiplies the inputs of a module; `nil` if the settings do not tell.
  func scalesInputs(of target: LoRATarget) -> Bool? {
    parts[target.component]?.inputEnds.map { ends in
      ends.contains { target.path.diffusers.hasSuffix($0) }
    }
  }

  /// How OFT computes rotations, if the settings tell it.
  func rotation(of target: LoRATarget) -> RotationSettings? { parts[target.component]?.rotation }

  private static func value(
    for target: LoRATarget, among patterns: [(pattern: String, value: Double)]
  ) -> Double? {
    let path = target.path.diffusers
    for (pattern, value) in patterns {
      let isWhole = pattern.utf8.first == UInt8(ascii: "^")
      let body = isWhole ? String(pattern.dropFirst()) : pattern
      if path == body || (!isWhole && path.hasSuffix("." + body)) { return value }
    }
    return nil
  }

  /// Whether α is divided by the root of the rank.
  func isRankStabilized(_ target: LoRATarget) -> Bool {
    parts[target.component]?.isRankStabilized ?? false
  }

  private static func malformed(_ what: String, _ expected: String) -> Fault {
    Fault(.loraSettings, "has malformed settings: \(what) is not \(expected)")
  }
}
