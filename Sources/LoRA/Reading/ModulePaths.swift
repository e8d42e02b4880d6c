import StableDiffusion
import Tensors

/// Every spelling of every module, looked up whole.
///
/// Names joined with `_` cannot be split again (`to_out_0`, `self_attn_q_proj`), so each known
/// module is joined, and the file's spelling looked up.
struct ModulePaths: Sendable {
  /// A module found by its spelling.
  struct Match: Sendable {
    /// Its position in ``LoRATarget/all``.
    let target: Int
    let style: PathStyle
  }

  static let shared = ModulePaths()

  private var matches: [TensorName: Match] = [:]
  /// What remains of known names that lost their beginnings.
  private var tails: Set<TensorName> = []

  /// The module that a file calls `stem`.
  subscript(stem: TensorName) -> Match? { matches[stem] }

  /// Whether `stem` is the end of a module's path, so that it could belong to several.
  func isTail(_ stem: TensorName) -> Bool { tails.contains(stem) }

  private init() {
    matches.reserveCapacity(12_000)
    for (index, target) in LoRATarget.all.enumerated() {
      switch target.component {
      case .unet: addUNet(index, target.path)
      case .textEncoder: addText(index, target.path.diffusers)
      case .vae: break
      }
      for path in [target.path.diffusers, target.path.ldm] {
        let parts = path.split(separator: ".")
        for start in parts.indices.dropFirst() where parts.count - start > 1 {
          let tail = parts[start...].joined(separator: ".")
          tails.insert(TensorName(tail))
          tails.insert(TensorName(tail.joinedByUnderscore))
        }
      }
    }
  }

  /// The first spelling of a name counts; none means two modules.
  private mutating func add(_ name: String, _ index: Int, _ style: PathStyle) {
    let name = TensorName(name)
    if matches[name] == nil { matches[name] = Match(target: index, style: style) }
  }

  private mutating func addUNet(_ index: Int, _ path: ModulePath) {
    let joined = path.diffusers.joinedByUnderscore
    add("lora_unet_" + joined, index, .kohya)
    add("lora_unet_" + path.ldm.joinedByUnderscore, index, .kohyaLDM)
    add("lora_unet_diffusion_model_" + path.ldm.joinedByUnderscore, index, .kohyaLDM)
    for prefix in ["lycoris_", "lycoris_unet_"] { add(prefix + joined, index, .lycoris) }
    add("oft_unet_" + joined, index, .kohyaOFT)
    for prefix in ["unet.", "", "lora_unet."] { add(prefix + path.diffusers, index, .diffusers) }
    for prefix in ["base_model.model.", "base_model.model.unet.", "unet.base_model.model."] {
      add(prefix + path.diffusers, index, .peft)
    }
    for prefix in ["diffusion_model.", "base_model.model.diffusion_model."] {
      add(prefix + path.ldm, index, .comfy)
    }
    for prefix in ["model.diffusion_model.", ""] { add(prefix + path.ldm, index, .ldm) }
    guard let dot = path.diffusers.lastIndex(of: ".") else { return }
    // X.attn1.to_q was X.attn1.processor.to_q_lora, and X.attn1.to_out.0 …to_out_lora.
    var parent = path.diffusers[..<dot], name = path.diffusers[path.diffusers.index(after: dot)...]
    if name == "0", parent.hasSuffix(".to_out"), let outer = parent.lastIndex(of: ".") {
      name = parent[parent.index(after: outer)...]
      parent = parent[..<outer]
    }
    guard ["to_q", "to_k", "to_v", "to_out"].contains(name) else { return }
    for prefix in ["unet.", ""] { add("\(prefix)\(parent).processor.\(name)", index, .processor) }
  }

  private mutating func addText(_ index: Int, _ path: String) {
    // transformers from 5 on has one module less around it.
    let short = String(path.dropFirst("text_model.".count))
    for path in [path, short] {
      let joined = path.joinedByUnderscore
      for prefix in ["lora_te_", "lora_te1_"] { add(prefix + joined, index, .kohya) }
      for prefix in ["lycoris_", "lycoris_te_", "lycoris_text_encoder_"] {
        add(prefix + joined, index, .lycoris)
      }
      add("oft_te_" + joined, index, .kohyaOFT)
      for prefix in ["text_encoder.", "", "lora_te."] { add(prefix + path, index, .diffusers) }
      for prefix in [
        "base_model.model.", "base_model.model.text_encoder.", "text_encoder.base_model.model.",
      ] {
        add(prefix + path, index, .peft)
      }
      for prefix in ["text_encoders.clip_l.transformer.", "clip_l.transformer.", "clip_l."] {
        add(prefix + path, index, .comfy)
      }
      add("cond_stage_model.transformer." + path, index, .ldm)
    }
    // self_attn.q_proj was self_attn.to_q_lora, and for a while self_attn.q_proj.to_q_lora.
    guard let dot = path.lastIndex(of: "."), path[dot...].hasSuffix("_proj") else { return }
    let letter = path[path.index(after: dot)...].dropLast("_proj".count)
    for prefix in ["text_encoder.", ""] {
      add("\(prefix)\(path[..<dot]).to_\(letter)", index, .processor)
      add("\(prefix)\(path).to_\(letter)", index, .processor)
    }
  }

  /// Whether `stem` is one of the three projections beside the one that was used, in files of the
  /// time when each had four: `self_attn.q_proj.to_k`.
  func isUnusedProjection(_ stem: TensorName) -> Bool {
    let parts = stem.string.split(separator: ".")
    guard parts.count > 2, let last = parts.last,
      ["to_q", "to_k", "to_v", "to_out"].contains(last)
    else { return false }
    let module = parts[parts.count - 2]
    guard ["q_proj", "k_proj", "v_proj", "out_proj"].contains(module) else { return false }
    return matches[TensorName(parts.dropLast().joined(separator: "."))] != nil
  }
}

extension StringProtocol {
  /// The text with `_` for every dot.
  var joinedByUnderscore: String {
    String(decoding: utf8.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "_") : $0 }, as: UTF8.self)
  }
}
