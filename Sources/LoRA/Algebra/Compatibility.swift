/// Known behaviours of other programs that people chose their strengths by.
public enum LoRACompatibility: String, CaseIterable, Sendable {
  /// The strength counts twice, as in sd-scripts' merge of LoRAs: 0.5 works like 0.25.
  case kohyaRatioSquared = "kohya-ratio-squared"
  /// ComfyUI's DoRA: rows are divided by the norm of the weight before the change.
  case comfyDoRA = "comfy-dora"
  /// The Stable Diffusion web UI's DoRA: norms are always those of the inputs.
  case a1111DoRAIn = "a1111-dora-in"
  /// sd-scripts' block weights: blocks that a vector does not list count fully.
  case kohyaBlockRest = "lbw-rest=1"

  /// A sentence for people.
  public var title: String {
    switch self {
    case .kohyaRatioSquared: "strengths are squared, as sd-scripts' merge_lora does"
    case .comfyDoRA: "DoRA divides by the norm before the change, as ComfyUI does"
    case .a1111DoRAIn: "DoRA divides by the norms of inputs, as the web UI does"
    case .kohyaBlockRest: "blocks that a vector does not list count fully, as in sd-scripts"
    }
  }
}
