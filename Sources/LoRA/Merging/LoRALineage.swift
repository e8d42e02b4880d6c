import JSON
import StableDiffusion
public import Tensors

/// What the file of a merged model says about how it was made.
///
/// The texts of the model stay, but for hashes that are no longer true. Added are
/// `sdtool.lora_merge`, what was merged and how strongly; `sdtool.lora_metadata`, the `ss_` texts
/// that the trainers of the LoRAs left in them; and Stability AI's model specification 1.0.1, with
/// the parents in `modelspec.merged_from`.
public struct LoRALineage: Sendable {
  private let plan: LoRAMergePlan
  private let base: String
  private let arguments: [String]

  /// The lineage of what `plan` makes.
  ///
  /// - Parameters:
  ///   - plan: what is done.
  ///   - base: the model, as the user named it; folders are left out.
  ///   - arguments: the LoRAs, as the user named them.
  public init(_ plan: LoRAMergePlan, base: String, arguments: [String]) {
    self.plan = plan
    self.base = base
    self.arguments = arguments
  }

  /// Texts that long, such as the tags of all training pictures, are left out.
  private static let longestText = 1 << 16

  private static let hashes: Set<String> = [
    "sshs_model_hash", "sshs_legacy_hash", "modelspec.hash_sha256",
  ]

  /// All texts: those of the model in their order, then what is new, sorted.
  public func entries(
    of source: any TensorSource, title: String, version: String
  ) throws(Fault) -> [MetadataEntry] {
    let parents = [base] + plan.request.loras.map(\.file.path)
    let new: [String: String] = [
      "sdtool.version": version,
      "sdtool.lora_merge": try recipe.serialized(),
      "sdtool.lora_metadata": try trainingTexts.serialized(),
      "modelspec.sai_model_spec": "1.0.1",
      "modelspec.architecture": "stable-diffusion-v1",
      "modelspec.implementation": "https://github.com/Stability-AI/generative-models",
      "modelspec.title": title,
      "modelspec.resolution": "512x512",
      "modelspec.merged_from": parents.map(Self.fileName).joined(separator: ", "),
    ]
    let kept = source.metadata.filter { new[$0.key] == nil && !Self.hashes.contains($0.key) }
    return kept
      + new.map { MetadataEntry(key: $0.key, value: $0.value) }.sorted {
        $0.key.utf8.lexicographicallyPrecedes($1.key.utf8)
      }
  }

  private var recipe: JSONValue {
    let loras = plan.request.loras.enumerated().map { index, use -> JSONValue in
      var object: JSONObject = [
        "file": .string(Self.fileName(use.file.path)), "unet": .double(use.strength.unet),
        "text_encoder": .double(use.strength.textEncoder),
      ]
      if let vector = use.strength.vector {
        object["lbw"] = .string(vector.text)
        object["lbw_rest"] = .double(vector.rest)
      }
      if !use.strength.rules.isEmpty {
        object["lbwe"] = .array(use.strength.rules.map { .string($0.text) })
      }
      if let hash = use.file.text("sshs_model_hash") { object["sshs_model_hash"] = .string(hash) }
      return .object(object)
    }
    var object: JSONObject = ["base": .string(Self.fileName(base)), "loras": .array(loras)]
    if !plan.request.compatibility.isEmpty {
      object["compat"] = .array(
        LoRACompatibility.allCases.filter(plan.request.compatibility.contains)
          .map { .string($0.rawValue) })
    }
    return .object(object)
  }

  private var trainingTexts: JSONValue {
    .array(
      plan.request.loras.map { use in
        .object(
          JSONObject(
            use.file.metadata.filter {
              $0.key.hasPrefix("ss_") && $0.value.utf8.count <= Self.longestText
            }
            .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            .map { ($0.key, JSONValue.string($0.value)) }))
      })
  }

  private static func fileName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}
