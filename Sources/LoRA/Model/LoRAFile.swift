public import Tensors

/// A LoRA: what a file changes in which modules, read from names and shapes alone.
///
///     let file = try LoRAFile(path: "style.safetensors")
///     for module in file.modules { print(module.target.path.diffusers, module.adapter.kind) }
///
/// Values are read when they are asked for.
public struct LoRAFile: Sendable {
  /// The tensors.
  public let source: any TensorSource
  /// How its names are spelled.
  public let spelling: LoRASpelling
  /// What it does, module by module, in network order.
  public let modules: [LoRAModule]
  /// What becomes of each tensor of ``source``.
  public let ledger: [LedgerEntry]
  /// What was noticed: errors keep the file from being used, the rest does not.
  public let findings: [Fault]

  /// The file or folder.
  public var path: String { source.path }
  /// The texts beside the tensors.
  public var metadata: [MetadataEntry] { source.metadata }

  /// The text called `key`.
  public func text(_ key: String) -> String? {
    metadata.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
  }

  /// The values of a factor as single-precision numbers.
  public func values(of factor: Factor) throws(Fault) -> [Float] {
    try source.singles(of: factor.tensor)
  }
}

/// What becomes of one tensor.
public enum LedgerEntry: Hashable, Sendable {
  /// It is part of ``LoRAFile/modules`` at this position.
  case applied(module: Int)
  /// It changes no weight and is worth keeping: an embedding.
  case preserved(String)
  /// It has no effect, for this reason.
  case ignored(String)
  /// It is for nothing known, as far as can be told for this reason.
  case unmatched(String)

  /// One word: `applied`, `preserved`, `ignored` or `unmatched`.
  public var word: String {
    switch self {
    case .applied: "applied"
    case .preserved: "preserved"
    case .ignored: "ignored"
    case .unmatched: "unmatched"
    }
  }
}

/// How the tensors of a LoRA are named: modules and ends of names, each for itself, with how often.
public struct LoRASpelling: Hashable, Sendable {
  /// The styles in which modules are spelled, most frequent first.
  public let paths: [PathStyle]
  /// The styles in which the ends of names are spelled, most frequent first.
  public let suffixes: [SuffixStyle]

  /// For people: `kohya`, or `kohya modules, PEFT factors`.
  public var title: String {
    guard let path = paths.first, let suffix = suffixes.first else { return "unknown" }
    if path.usualSuffixes.contains(suffix) { return path.rawValue }
    return "\(path.rawValue) modules, \(suffix.rawValue) factors"
  }
}

/// How modules are spelled.
public enum PathStyle: String, CaseIterable, Sendable {
  /// `lora_unet_down_blocks_0_…`, `lora_te_…`.
  case kohya
  /// `lora_unet_input_blocks_1_…`.
  case kohyaLDM = "kohya with original names"
  /// `lycoris_down_blocks_0_…`.
  case lycoris = "LyCORIS"
  /// `oft_unet_…`.
  case kohyaOFT = "kohya OFT"
  /// `unet.down_blocks.0.…`, `text_encoder.…`.
  case diffusers
  /// `down_blocks.0.….attn1.processor.…`.
  case processor = "diffusers before 0.17"
  /// `base_model.model.…`.
  case peft = "PEFT"
  /// `diffusion_model.input_blocks.…`, `text_encoders.clip_l.…`.
  case comfy = "ComfyUI"
  /// Names of the original checkpoints.
  case ldm = "original names"
  /// `unet:12:up`.
  case numbered = "cloneofsimo"
  /// `….___.layer.W_down`.
  case hcp = "HCP-Diffusion"

  var usualSuffixes: [SuffixStyle] {
    switch self {
    case .kohya, .kohyaLDM, .lycoris, .kohyaOFT: [.kohya, .lycoris]
    case .diffusers: [.diffusers, .peft]
    case .processor: [.diffusers]
    case .peft: [.peft, .lycoris]
    case .comfy: [.kohya, .lycoris]
    case .ldm: [.peft]
    case .numbered: [.numbered]
    case .hcp: [.hcp]
    }
  }
}

/// How the ends of names are spelled.
public enum SuffixStyle: String, CaseIterable, Sendable {
  /// `lora_up.weight`, `lora_down.weight`, `alpha`.
  case kohya
  /// `hada_w1_a`, `lokr_w1`, `diff`, … .
  case lycoris = "LyCORIS"
  /// `lora_A.weight`, `lora_B.weight`, `ia3_l`, `oft_R.weight`, `boft_R`.
  case peft = "PEFT"
  /// `to_q_lora.up.weight`, `lora_linear_layer.up.weight`, `to_q.lora.up.weight`.
  case diffusers
  /// `up`, `down`.
  case numbered = "cloneofsimo"
  /// `layer.W_up`, `layer.W_down`.
  case hcp = "HCP-Diffusion"
}
