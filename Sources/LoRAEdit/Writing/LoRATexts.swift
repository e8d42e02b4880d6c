import JSON
import LoRA
import Tensors

/// The texts of a LoRA that is being written.
///
/// Sources: sd-scripts `library/sai_model_spec.py` and `networks/`, ModelSpec 1.0.1. The date is left
/// out, so that the same input gives the same bytes.
struct LoRATexts {
  private var values = JSONObject()

  /// What every LoRA has.
  init(rank: String, alpha: String, arguments: String? = nil) {
    set("ss_v2", "False")
    set("ss_base_model_version", "sd_v1-5")
    set("ss_network_module", "networks.lora")
    setNetwork(rank: rank, alpha: alpha)
    if let arguments { set("ss_network_args", arguments) }
    setDefault("modelspec.sai_model_spec", "1.0.1")
    setDefault("modelspec.architecture", "stable-diffusion-v1/lora")
    setDefault("modelspec.implementation", "diffusers")
    setDefault("modelspec.resolution", "512x512")
    setDefault("modelspec.prediction_type", "epsilon")
  }

  /// The texts of a file.
  init(of file: LoRAFile) {
    for entry in file.metadata { set(entry.key, entry.value) }
  }

  /// The texts of several files: of each text the first that there is, tags and trigger phrases of
  /// all; each file's own are kept under `sshs_cp0`, `sshs_cp1`, ….
  init(combining files: [LoRAFile], ratios: [Double], rank: String, alpha: String) throws(Fault) {
    self.init(rank: rank, alpha: alpha)
    var found = JSONObject()
    for file in files {
      for entry in file.metadata where Self.isKept(entry.key) && found[entry.key] == nil {
        found[entry.key] = .string(entry.value)
      }
    }
    for member in found { values[member.key] = member.value }
    let tags = files.compactMap { $0.text("ss_tag_frequency") }
    if !tags.isEmpty { set("ss_tag_frequency", try MergedTags(tags).text) }
    for (key, separator) in [("modelspec.trigger_phrase", ", "), ("modelspec.title", " + ")] {
      var texts: [String] = []
      for text in files.compactMap({ $0.text(key) }) where !text.isEmpty && !texts.contains(text) {
        texts.append(text)
      }
      if !texts.isEmpty { set(key, texts.joined(separator: separator)) }
    }
    setNetwork(rank: rank, alpha: alpha)
    set("ss_network_module", "networks.lora")
    for (index, file) in files.enumerated() {
      let own = file.metadata.filter { !$0.key.hasPrefix("sshs_cp") }
        .sorted { TensorName($0.key) < TensorName($1.key) }
      let object = JSONObject(own.map { ($0.key, JSONValue.string($0.value)) })
      set("sshs_cp\(index)", try JSONValue.object(object).serialized())
    }
    set("sshs_ratio", ratios.map { "\($0)" }.joined(separator: ","))
    set("modelspec.merged_from", files.map(Self.title).joined(separator: ", "))
  }

  /// Whether a text of training is true of a sum too.
  private static func isKept(_ key: String) -> Bool {
    (key.hasPrefix("ss_") || key.hasPrefix("modelspec.")) && !LoRAOutput.isHash(key)
      && key != "modelspec.merged_from" && key != "ss_network_args"
  }

  /// What a LoRA is called.
  static func title(of file: LoRAFile) -> String {
    if let title = file.text("modelspec.title") ?? file.text("ss_output_name"), !title.isEmpty,
      title != "None"
    {
      return title
    }
    return file.path.split(separator: "/").last.map(String.init) ?? file.path
  }

  /// Replaces the text under `key`.
  mutating func set(_ key: String, _ value: String) { values[key] = .string(value) }

  /// Sets the text under `key` unless there is one.
  mutating func setDefault(_ key: String, _ value: String) {
    if values[key] == nil { set(key, value) }
  }

  /// Removes the text under `key`.
  mutating func remove(_ key: String) { values[key] = nil }

  /// Rank and α of the network, as numbers or `Dynamic`.
  mutating func setNetwork(rank: String, alpha: String) {
    set("ss_network_dim", rank)
    set("ss_network_alpha", alpha)
  }

  /// All texts.
  var entries: [MetadataEntry] {
    values.map { MetadataEntry(key: $0.key, value: $0.value.string ?? "") }
  }

  /// One number if all ranks are the same, else `Dynamic`, as sd-scripts calls it.
  static func common(_ ranks: [Int]) -> String {
    guard let first = ranks.first, ranks.allSatisfy({ $0 == first }) else { return "Dynamic" }
    return "\(first)"
  }

  /// `ss_network_args` of a network whose kernels have a rank of their own.
  static func arguments(kernelRanks: [Int]) -> String? {
    guard let first = kernelRanks.first, kernelRanks.allSatisfy({ $0 == first }) else { return nil }
    return #"{"conv_dim": "\#(first)", "conv_alpha": "\#(first)"}"#
  }
}
