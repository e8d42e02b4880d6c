import Generation
import LoRA
import Merge
import Sampling
import Tensors

/// One direction of a sheet of pictures: a setting and its values.
struct GridAxis {
  /// A value, and what it changes.
  struct Value {
    /// As it is written on the sheet.
    let label: String
    /// What it changes about the picture.
    var request: (inout ImageRequest) throws(Fault) -> Void = { _ in }
    /// What it changes about the model, if anything.
    var model: RunnableModel.Change?
  }

  /// What the values are of.
  let name: String
  /// The same, with the name of the LoRA that it is about.
  let title: String
  /// The values, in order.
  let values: [Value]

  static let names = [
    "seed", "cfg", "steps", "sampler", "schedule", "strength", "clip-skip", "alpha", "mbw", "lora",
  ]

  /// Whether the values change a merge.
  var changesRecipe: Bool { name == "alpha" || name == "mbw" }
  /// Whether they change a LoRA.
  var changesLoRA: Bool { name == "lora" }

  /// An axis from `seed=1..4`, `mbw=GRAD_V,GRAD_A` or `lora=0.5,1`.
  ///
  /// Values that hold commas themselves are separated by semicolons.
  init(_ text: String) throws(Fault) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    let (name, detail) = Self.head(parts.first ?? "")
    guard Self.names.contains(name), detail == nil || name == "lora" else {
      let near = nearest(to: name, in: Self.names).map { "did you mean '\($0)'?" }
      throw Fault(
        .generationSetting, "there is no '\(name)' to make a sheet of",
        hint: near ?? "choose one of " + Self.names.joined(separator: ", "))
    }
    let separator: Character = text.contains(";") ? ";" : ","
    let texts =
      parts.count < 2
      ? [] : try Self.expanded(parts[1].split(separator: separator).map { String($0).trimmed })
    guard (1...64).contains(texts.count) else {
      throw Fault(
        .generationSetting, "a sheet has 1 to 64 values in each direction",
        expected: "\(name)=VALUE,VALUE…", found: "'\(text)'")
    }
    var values: [Value] = []
    for text in texts { values.append(try Self.value(name, detail, text)) }
    self.values = values
    self.name = name
    title = detail.map { "\(name):\($0)" } ?? name
  }

  /// The name, and what stands behind a colon.
  private static func head(_ text: String) -> (String, String?) {
    guard let colon = text.firstIndex(of: ":") else { return (text.trimmed.lowercased(), nil) }
    return (
      String(text[..<colon]).trimmed.lowercased(), String(text[text.index(after: colon)...]).trimmed
    )
  }

  private static func value(
    _ name: String, _ detail: String?, _ text: String
  ) throws(Fault) -> Value {
    let label = "\(detail ?? name) \(text)"
    func whole() throws(Fault) -> Int { try number(name, text) { Int($0) } }
    func decimal() throws(Fault) -> Double {
      try number(name, text) { Double($0).flatMap { $0.isFinite ? $0 : nil } }
    }
    switch name {
    case "seed":
      let seed: UInt64 = try number(name, text) { UInt64($0) }
      return Value(label: label, request: { $0.seed = seed })
    case "cfg":
      let scale = try decimal()
      return Value(label: label, request: { $0.guidance.scale = scale })
    case "steps":
      let steps = try whole()
      return Value(label: label, request: { $0.steps = steps })
    case "strength":
      let strength = try decimal()
      return Value(label: label, request: { $0.strength = strength })
    case "clip-skip":
      let skip = try whole()
      return Value(label: label, request: { $0.clipSkip = skip })
    case "sampler":
      let (sampler, sigmas) = try Samplers.withSchedule(text)
      return Value(
        label: sampler.title + (sigmas.map { " " + $0.title } ?? ""),
        request: {
          $0.sampler = sampler
          if let sigmas { $0.sigmas = sigmas }
        })
    case "schedule":
      let sigmas: SigmaSpacing = try number(name, text) { SigmaSpacing(named: $0) }
      return Value(label: sigmas.title, request: { $0.sigmas = sigmas })
    case "lora":
      let strength = try decimal()
      return Value(
        label: label,
        model: .init(loras: { (uses) throws(Fault) in try set(strength, of: detail, in: &uses) }))
    case "alpha":
      let alpha = try decimal()
      return Value(label: label, model: .init(alpha: alpha))
    default:
      let blocks = try BlockWeights(text, presets: .classic)
      return Value(label: text, model: .init(blocks: blocks))
    }
  }

  /// Changes the strength of the LoRA called `name`, or of the only one.
  private static func set(
    _ strength: Double, of name: String?, in uses: inout [LoRAUse]
  ) throws(Fault) {
    let names = uses.map { fileStem(of: $0.file.path) }
    let index = name.map { name in names.firstIndex(of: name) } ?? (uses.count == 1 ? 0 : nil)
    guard let index else {
      throw Fault(
        .generationSetting,
        name.map { "there is no LoRA '\($0)' to change" } ?? "it is not said which LoRA to change",
        found: names.isEmpty ? "no --lora" : names.joined(separator: ", "),
        hint: names.isEmpty ? "give one with --lora" : "write lora:\(names[0])=0.5,1")
    }
    var changed = uses[index].strength
    changed.unet = strength
    changed.textEncoder = strength
    uses[index] = LoRAUse(uses[index].file, changed)
  }

  private static func number<Number>(
    _ name: String, _ text: String, _ read: (String) -> Number?
  ) throws(Fault) -> Number {
    guard let number = read(text) else {
      throw Fault(.generationSetting, "'\(text)' is no value of \(name)")
    }
    return number
  }

  /// Replaces `1..4` by 1, 2, 3, 4.
  private static func expanded(_ texts: [String]) throws(Fault) -> [String] {
    var found: [String] = []
    for text in texts {
      // Presets are blended as A..B, which are no numbers.
      guard let dots = text.firstRange(of: ".."), let first = Int(text[..<dots.lowerBound]),
        let last = Int(text[dots.upperBound...])
      else {
        found.append(text)
        continue
      }
      guard first <= last, last - first < 64 else {
        throw Fault(
          .generationSetting, "a range has 1 to 64 numbers, the smallest first",
          found: "'\(text)'")
      }
      found += (first...last).map { "\($0)" }
    }
    return found
  }
}

extension String {
  /// Without blanks at its ends.
  var trimmed: String {
    let start = drop { $0 == " " }
    return String(start.reversed().drop { $0 == " " }.reversed())
  }
}
