import LoRA
import LoRAEdit
import StableDiffusion
import Synthesis
import Tensors

/// A LoRA that bytes describe: which tensors it has, of which types and shapes.
///
/// Random bytes would hardly ever be a file with two factors of one module. Each tensor takes a byte
/// for the module, one for its spelling, one for what it is, one for its type, one for the number of
/// its axes and one for each of them; its values are the bytes themselves, again and again.
struct DescribedLoRA: TensorSource {
  let path = "described.safetensors"
  let container = Container.safetensors
  private(set) var tensors: [TensorInfo] = []
  private(set) var metadata: [MetadataEntry] = []
  let findings: [Fault] = []
  let files: [InputFile] = []
  private let bytes: [UInt8]

  /// The LoRA that `bytes` describe.
  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    var rest = bytes[...]
    func next() -> Int { Int(rest.popFirst() ?? 0) }
    if next() % 4 == 1 {
      let text = Self.settings[next() % Self.settings.count]
      metadata = [MetadataEntry(key: "lora_adapter_metadata", value: text)]
    }
    var names: Set<TensorName> = []
    while !rest.isEmpty, tensors.count < 24 {
      let module = Self.modules[next() % Self.modules.count]
      let stem = module[next() % module.count]
      let name = TensorName(stem + Self.ends[next() % Self.ends.count])
      let dtype = Self.types[next() % Self.types.count]
      let shape = (0..<next() % 5).map { _ in Self.extents[next() % Self.extents.count] }
      // The format knows no tensor twice, and no file of that length.
      guard names.insert(name).inserted,
        let info = try? TensorInfo(name: name, dtype: dtype, shape: shape),
        info.byteCount < 1 << 40
      else { continue }
      tensors.append(info)
    }
  }

  func extent(of index: Int) -> FileExtent? { nil }

  func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    for position in 0..<buffer.byteCount {
      buffer.storeBytes(
        of: bytes[(offset + position) % bytes.count], toByteOffset: position, as: UInt8.self)
    }
  }

  /// Modules in several spellings, also of other models, and broken ones.
  private static let modules: [[String]] = [
    [
      "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q",
      "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
      "base_model.model.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
      "diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q",
      "lycoris_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q",
      "oft_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q",
    ],
    ["lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"],
    ["lora_unet_down_blocks_0_attentions_0_proj_in", "base_model.model.conv_in"],
    ["lora_unet_conv_in", "lora_unet_input_blocks_0_0"],
    ["lora_unet_mid_block_attentions_0_norm"],
    ["lora_te_text_model_encoder_layers_3_self_attn_q_proj", "lora_te2_text_model_x"],
    ["unet:0", "text_encoder:0"], ["0.attn1.to_k", "", "<token>", "bundle_emb.x"],
  ]

  private static let ends = [
    ".lora_up.weight", ".lora_down.weight", ".lora_mid.weight", ".alpha", ".dora_scale", ".scale",
    ".lora_A.weight", ".lora_B.weight", ".lora_B.bias", ".lora_magnitude_vector", ".hada_w1_a",
    ".hada_w1_b", ".hada_w2_a", ".hada_w2_b", ".hada_t1", ".hada_t2", ".lokr_w1", ".lokr_w1_a",
    ".lokr_w1_b", ".lokr_w2", ".lokr_w2_a", ".lokr_w2_b", ".lokr_t1", ".lokr_t2", ".a1.weight",
    ".a2.weight", ".b1.weight", ".b2.weight", ".bm.weight", ".weight", ".on_input", ".ia3_l",
    ".diff", ".diff_b", ".w_norm", ".b_norm", ".set_weight", ".reshape_weight", ".oft_blocks",
    ".oft_diag", ".rescale", ".oft_R.weight", ".boft_R", ".boft_s", ".bias_indices",
    ".bias_values", ".bias_size", ":up", ":down", ".lora.up.weight", ".to_q_lora.up.weight",
    ".___.layer.W_up", ".lambda_layer", "",
  ]

  private static let types: [DType] = [.f32, .f16, .bf16, .f64, .i64, .i32, .u8, .f8E4M3, .bool]

  private static let extents = [
    0, 1, 2, 3, 4, 8, 9, 16, 24, 28, 32, 64, 128, 256, 288, 320, 768, 1024, 1280, 2048, 5120,
    49_408, 1 << 20, 1 << 40,
  ]

  private static let settings = [
    "{\"unet.r\":4,\"unet.lora_alpha\":2,\"unet.use_rslora\":true}",
    "{\"unet.alpha_pattern\":{\"attn1.to_q\":1}}", "{\"unet.lora_alpha\":\"x\"}", "[", "{}",
  ]
}

/// What adapters are merged into: one for all inputs.
private let model = SyntheticModel(preset: .sd15Tiny, seed: 7, dtype: .f16)

/// Reads a described LoRA, merges it into a small model, and makes other LoRAs of it.
func readLoRA(_ bytes: [UInt8]) {
  guard !bytes.isEmpty else { return }
  let source = DescribedLoRA(bytes)
  guard let file = try? LoRAFile(source) else { return }
  precondition(file.ledger.count == source.tensors.count)
  for (tensor, entry) in file.ledger.enumerated() {
    if case .applied(let module) = entry {
      precondition(file.modules[module].tensors.contains(tensor))
    }
  }
  for fault in file.findings { precondition(!fault.description.isEmpty) }
  // Values that nobody stored cost the machine nothing but time.
  guard source.tensors.allSatisfy({ $0.elementCount <= 1 << 20 }) else { return }
  var request = LoRAMergeRequest([LoRAUse(file, LoRAStrength(0.5))])
  request.allowsUnmatched = true
  request.overflow = .clamp
  if bytes[0] & 0x80 != 0 { request.compatibility = Set(LoRACompatibility.allCases) }
  if let plan = try? LoRAMergePlan(model, request, width: 1) {
    let merged = LoRAMergedSource(plan)
    for index in merged.tensors.indices where merged.extent(of: index) == nil {
      guard plan.problems.isEmpty else { break }
      _ = try? merged.bytes(of: index)
    }
    precondition(merged.tensorEffects().count == plan.changedCount)
  }
  _ = try? LoRASum([LoRASum.Term(file, 0.5)], allowingUnmatched: true)
    .made(.rank(2, kernels: nil), dtype: .f16, dialect: .kohya, width: 1)
  for dialect in LoRADialect.allCases {
    _ = try? LoRAConversion(file, to: dialect, allowingUnmatched: true).made(width: 1)
  }
}
