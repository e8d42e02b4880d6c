import Tensors

/// The method by which an adapter changes weights.
public enum AdapterFamily: String, CaseIterable, Comparable, Sendable {
  case lora = "LoRA"
  case loha = "LoHa"
  case lokr = "LoKr"
  case glora = "GLoRA"
  case ia3 = "IA3"
  case oft = "OFT"
  case full = "full difference"
  case norm = "norm difference"
  case timeDependent = "T-LoRA"

  /// Whether `a` comes first in the order above.
  public static func < (a: AdapterFamily, b: AdapterFamily) -> Bool { a.rank < b.rank }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// What is known about an adapter from the names of its tensors.
public struct AdapterIdentity: Hashable, Sendable {
  /// The methods it uses, in a fixed order.
  public let families: [AdapterFamily]
  /// Which programs spell names so, for people.
  public let dialect: String
  /// The model it was made for, as far as its shapes tell.
  public let base: ModelKind?
}

/// Counts what looks like an adapter.
struct AdapterCensus {
  private(set) var count = 0
  private var families: Set<AdapterFamily> = []
  private var firstName: TensorName?
  private var base: ModelKind?

  /// The names of an adapter's tensors, after the last dot or the last but one.
  private static let suffixes: [TensorName: AdapterFamily?] = {
    var all: [TensorName: AdapterFamily?] = [:]
    let lists: [(AdapterFamily?, [TensorName])] = [
      (
        .lora,
        [
          "lora_down.weight", "lora_up.weight", "lora_mid.weight", "lora_A.weight",
          "lora_B.weight", "lora_A", "lora_B", "lora_down", "lora_up", "W_down", "W_up",
        ]
      ),
      (
        .loha, ["hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2"]
      ),
      (
        .lokr,
        [
          "lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t1",
          "lokr_t2",
        ]
      ),
      (.glora, ["a1.weight", "a2.weight", "b1.weight", "b2.weight", "bm.weight"]),
      (.ia3, ["on_input", "ia3_l"]),
      (.oft, ["oft_blocks", "oft_diag", "oft_R.weight", "boft_R"]),
      (.full, ["diff", "diff_b"]),
      (.norm, ["w_norm", "b_norm"]),
      (.timeDependent, ["q_layer.weight", "p_layer.weight", "lambda_layer"]),
      (
        nil,
        [
          "alpha", "dora_scale", "rescale", "lora_magnitude_vector", "lora_magnitude_vector.weight",
          "bias_indices", "bias_values", "bias_size", "boft_s", "lora_B.bias",
        ]
      ),
    ]
    for (family, names) in lists { for name in names { all[name] = .some(family) } }
    return all
  }()

  /// Looks at one tensor.
  mutating func look(at info: TensorInfo) {
    let name = info.name
    guard name.utf8.count <= 2 * NameTable.longestName else { return }
    guard let match = Self.family(of: name) else { return }
    count += 1
    guard let family = match else { return }
    families.insert(family)
    if firstName == nil { firstName = name }
    if base == nil, family == .lora { base = Self.base(of: info) }
  }

  /// The family of a tensor; `.some(nil)` for one that every family has.
  private static func family(of name: TensorName) -> AdapterFamily?? {
    let bytes = Array(name.utf8)
    let dots = bytes.indices.filter { bytes[$0] == UInt8(ascii: ".") }
    if dots.isEmpty {
      // cloneofsimo's form: unet:12:up
      let isNumbered = name.hasPrefix("unet:") || name.hasPrefix("text_encoder:")
      return isNumbered && (name.hasSuffix(":up") || name.hasSuffix(":down"))
        ? .some(.lora) : nil
    }
    func tail(_ count: Int) -> TensorName? {
      guard dots.count >= count else { return nil }
      return TensorName(String(decoding: bytes[(dots[dots.count - count] + 1)...], as: UTF8.self))
    }
    for count in 1...2 {
      if let family = tail(count).flatMap({ suffixes[$0] }) { return family }
    }
    // diffusers' forms: to_q_lora.down.weight, to_q.lora.down.weight, lora_linear_layer.up.weight;
    // PEFT's with a named adapter: lora_A.default.weight
    if name.hasSuffix("lora.down.weight") || name.hasSuffix("lora.up.weight")
      || name.hasSuffix("lora_linear_layer.down.weight")
      || name.hasSuffix("lora_linear_layer.up.weight")
    {
      return .some(.lora)
    }
    if let third = tail(3), third.hasPrefix("lora_A.") || third.hasPrefix("lora_B."),
      third.hasSuffix(".weight")
    {
      return .some(.lora)
    }
    return nil
  }

  /// The model an adapter was made for, by the width of the context that it attends to.
  private static func base(of info: TensorInfo) -> ModelKind? {
    let text = info.name.string
    guard text.contains("attn2"), text.contains("to_k"), info.shape.count >= 2,
      text.contains("down") || text.contains("lora_A")
    else { return nil }
    switch info.shape[1] {
    case 768: return .stableDiffusion1
    case 1024: return .stableDiffusion2
    case 2048: return .sdxlBase
    case 1280: return .sdxlRefiner
    default: return nil
    }
  }

  /// What was seen, if at least half of `total` tensors belong to an adapter.
  func identity(among total: Int) -> AdapterIdentity? {
    guard let firstName, count * 2 >= total else { return nil }
    return AdapterIdentity(
      families: families.sorted(), dialect: Self.dialect(of: firstName), base: base)
  }

  /// A tensor that shows what it is.
  var evidence: TensorName? { firstName }

  private static func dialect(of name: TensorName) -> String {
    let text = name.string
    if name.hasPrefix("lora_unet_") || name.hasPrefix("lora_te") {
      let blocks = ["input_blocks_", "middle_block_", "output_blocks_", "time_embed_", "out_2"]
      return blocks.contains { name.hasPrefix("lora_unet_" + $0) }
        ? "kohya, original block names" : "kohya"
    }
    if name.hasPrefix("lycoris_") { return "LyCORIS" }
    if name.hasPrefix("oft_unet_") { return "kohya OFT" }
    if name.hasPrefix("unet:") || name.hasPrefix("text_encoder:") { return "cloneofsimo" }
    if text.contains(".___.") { return "HCP-Diffusion" }
    if name.hasPrefix("base_model.model.") { return "PEFT" }
    if text.contains(".lora_A") || text.contains(".lora_B") { return "diffusers with PEFT" }
    if name.hasPrefix("diffusion_model.") || name.hasPrefix("text_encoders.") { return "ComfyUI" }
    if text.contains(".processor.") || text.contains("_lora.") || text.contains("lora_linear_layer")
    {
      return "diffusers before 0.22"
    }
    if text.contains(".lora.") { return "diffusers" }
    return "unknown dialect"
  }
}
