import StableDiffusion
import Tensors

/// Notices LoRAs that were made for other models than Stable Diffusion 1.x.
enum OtherModels {
  /// What is wrong with a file whose shapes or names are those of another model's LoRA, or `nil`.
  static func fault(
    _ modules: [LoRAModule], _ strangers: [(tensor: Int, slot: Slot?)], _ source: any TensorSource
  ) -> Fault? {
    for module in modules where isContext(module.target.path.diffusers) {
      guard let shape = module.weightShape, shape.count > 1, let first = module.tensors.first,
        let model = model(contextWidth: shape[1])
      else { continue }
      return fault(model, "\(shape[1]) columns", source, first)
    }
    for (tensor, slot) in strangers {
      let info = source.tensors[tensor]
      if slot == .down, info.shape.count > 1, isContext(info.name.string),
        let model = model(contextWidth: info.shape[1])
      {
        return fault(model, "\(info.shape[1]) columns", source, tensor)
      }
      if slot != nil, let model = model(named: info.name) {
        return fault(model, "a name of that model", source, tensor)
      }
    }
    return nil
  }

  /// Whether the layer takes what the text encoder gives, whose width tells the model.
  private static func isContext(_ name: String) -> Bool {
    name.contains("attn2") && (name.contains("to_k") || name.contains("to_v"))
  }

  private static func fault(
    _ model: String, _ evidence: String, _ source: any TensorSource, _ tensor: Int
  ) -> Fault {
    Fault(
      .loraOtherModel, "was made for \(model)", path: source.path,
      tensor: source.tensors[tensor].name, expected: "a LoRA for Stable Diffusion 1.x",
      found: evidence, hint: "use it with a model of that kind")
  }

  /// The model whose text encoder gives vectors of this width, if it is another one.
  private static func model(contextWidth: Int) -> String? {
    switch contextWidth {
    case 1024: "Stable Diffusion 2.x"
    case 2048: "SDXL"
    case 1280: "the SDXL refiner"
    default: nil
    }
  }

  private static func model(named name: TensorName) -> String? {
    let prefixes: [(String, String)] = [
      ("lora_te2_", "SDXL"), ("text_encoder_2.", "SDXL"), ("lora_unet_double_blocks_", "Flux"),
      ("lora_unet_single_blocks_", "Flux"), ("transformer.single_transformer_blocks.", "Flux"),
      ("lora_unet_joint_blocks_", "Stable Diffusion 3"),
      ("transformer.transformer_blocks.", "Stable Diffusion 3 or Flux"),
    ]
    if let known = prefixes.first(where: { name.hasPrefix($0.0) }) { return known.1 }
    // Stable Diffusion 1.x and 2.x have one transformer block in each place, SDXL up to ten.
    let text = name.string
    let hasBlocks = ["attentions", "input_blocks", "middle_block", "output_blocks"].contains {
      text.contains($0)
    }
    guard hasBlocks, let blocks = text.firstRange(of: "transformer_blocks") else { return nil }
    let number = text[blocks.upperBound...].dropFirst().prefix(while: \.isNumber)
    return Int(number).map { $0 > 0 } ?? false ? "SDXL" : nil
  }
}
