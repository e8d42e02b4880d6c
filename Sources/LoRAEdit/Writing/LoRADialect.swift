import LoRA
import StableDiffusion
import Tensors

/// A spelling in which a LoRA can be written.
public enum LoRADialect: String, CaseIterable, Sendable {
  /// `lora_unet_….lora_up.weight` with α: read by nearly every program.
  case kohya
  /// `unet.….lora_A.weight`: what diffusers and PEFT write; α is part of the factors.
  case diffusers
  /// `diffusion_model.….lora_up.weight` with α: ComfyUI's own names.
  case comfy

  /// What a tensor of a plain LoRA is.
  enum Part: String {
    case up, down, alpha, magnitude, biasDifference, normWeight, normBias
  }

  /// What every module of a plain LoRA has.
  static let parts: [Part] = [.up, .down, .alpha]

  /// The name of a module, without the ends of its tensors' names.
  func stem(of target: LoRATarget) -> String {
    switch self {
    case .kohya: target.kohyaName
    case .diffusers: target.diffusersName
    case .comfy:
      (target.component == .unet ? "diffusion_model." : "text_encoders.clip_l.transformer.")
        + target.path.ldm
    }
  }

  /// The name of a tensor, or `nil` if there is none in this spelling.
  func name(of part: Part, of target: LoRATarget) -> TensorName? {
    let end: String
    switch (self, part) {
    case (.diffusers, .up): end = "lora_B.weight"
    case (.diffusers, .down): end = "lora_A.weight"
    case (.diffusers, .magnitude): end = "lora_magnitude_vector"
    case (.diffusers, _): return nil
    case (_, .up): end = "lora_up.weight"
    case (_, .down): end = "lora_down.weight"
    case (_, .alpha): end = "alpha"
    case (_, .magnitude): end = "dora_scale"
    case (_, .biasDifference): end = "diff_b"
    case (_, .normWeight): end = "w_norm"
    case (_, .normBias): end = "b_norm"
    }
    return TensorName(stem(of: target) + "." + end)
  }

  /// Whether the spelling has tensors for α.
  var hasAlpha: Bool { self != .diffusers }
}

/// The shapes in which a module's factors are stored.
struct FactorShapes {
  let up: [Int]
  let down: [Int]

  /// The shapes for a weight `[out, in]` or `[out, in, kh, kw]`.
  init(weight: [Int], rank: Int) {
    up = [weight.first ?? 1, rank] + (weight.count == 4 ? [1, 1] : [])
    down = [rank] + weight.dropFirst()
  }
}
