import LoRA
import StableDiffusion
import Tensors
import TestSupport
import Testing

@Suite("Reading LoRAs")
struct ReadingTests {
  @Test("the modules are those of Stable Diffusion 1.5") func targets() {
    let usual = LoRATarget.all.filter { !$0.isOptional }
    #expect(usual.count == 490)
    // 282 layers and 109 normalisations; 72 layers, 25 normalisations and 2 tables.
    #expect(usual.count { $0.component == .unet } == 391)
    #expect(Set(LoRATarget.all.map(\.kohyaName)).count == LoRATarget.all.count)
  }

  /// The module's name as programs spell it, before the ends of the tensors' names.
  static let spellings: [(style: PathStyle, name: @Sendable (LoRATarget) -> String)] = [
    (.kohya, { $0.kohyaName }),
    (.kohya, { "lora_te1_" + String($0.kohyaName.dropFirst(8)) }),
    (.kohyaLDM, { "lora_unet_" + $0.path.ldm.replacing(".", with: "_") }),
    (.lycoris, { "lycoris_" + $0.path.diffusers.replacing(".", with: "_") }),
    (.kohyaOFT, { "oft_unet_" + $0.path.diffusers.replacing(".", with: "_") }),
    (.diffusers, { $0.diffusersName }),
    (.diffusers, { $0.path.diffusers }),
    (.peft, { "base_model.model." + $0.path.diffusers }),
    (.comfy, { "diffusion_model." + $0.path.ldm }),
    (.comfy, { "text_encoders.clip_l.transformer." + $0.path.ldm }),
    (.ldm, { "model.diffusion_model." + $0.path.ldm }),
  ]

  @Test("every spelling of every module is found", arguments: spellings.indices)
  func spelling(index: Int) throws {
    let (style, name) = Self.spellings[index]
    // Some spellings are of one component only.
    let text = name(LoRATarget.all[0])
    let component: Component? =
      text.contains("te1_") || text.contains("text_encoders.")
      ? .textEncoder
      : text.hasPrefix("oft_unet") || style == .kohyaLDM || style == .ldm
        || text.hasPrefix("diffusion_model") ? .unet : nil
    var source = MemorySource()
    let targets = LoRATarget.all.filter {
      !$0.isOptional && (component == nil || $0.component == component)
    }
    for target in targets {
      try source.add(name(target) + ".diff_b", [1])
    }
    let file = try LoRAFile(source)
    #expect(file.modules.map(\.target) == targets)
    #expect(file.findings.filter { $0.severity >= .error }.isEmpty)
    #expect(file.spelling.paths.first == style || style == .kohyaLDM)
  }

  /// α as files have it, and the scale that it means at rank 2.
  static let alphas: [(name: String, bytes: [UInt8]?, dtype: DType, shape: [Int], scale: Double)] =
    [
      ("a number", littleEndian(Float(1).bitPattern), .f32, [], 0.5),
      ("shape [1]", littleEndian(Float(1).bitPattern), .f32, [1], 0.5),
      ("half", littleEndian(UInt16(0x3C00)), .f16, [], 0.5),
      ("an integer", littleEndian(Int64(4)), .i64, [], 2),
      ("zero", littleEndian(Float(0).bitPattern), .f32, [], 0),
      ("missing", nil, .f32, [], 1),
    ]

  @Test("α is read in every form", arguments: alphas.indices)
  func alpha(index: Int) throws {
    let (_, bytes, dtype, shape, scale) = Self.alphas[index]
    let source = try lora(alpha: false) { source in
      if let bytes { try source.add(layer + ".alpha", dtype, shape, bytes) }
    }
    let file = try LoRAFile(source)
    #expect(try #require(file.modules.first).scale.value == scale)
    #expect(file.findings.contains { $0.rule == .loraNoAlpha } == (bytes == nil))
  }

  @Test("α that is no number is refused", arguments: [Float.nan, .infinity])
  func badAlpha(value: Float) throws {
    let source = try lora(alpha: false) { try $0.add(layer + ".alpha", [], [value]) }
    #expect(try problems(source).map(\.rule) == [.loraSettings])
  }

  @Test("a scale tensor overrides α") func scale() throws {
    let source = try lora { try $0.add(layer + ".scale", [], [3]) }
    let module = try #require(try LoRAFile(source).modules.first)
    #expect(module.scale.value == 3 && module.scale.origin == .scale)
  }

  @Test("settings in the header tell α, also for single modules and stabilised ranks")
  func settings() throws {
    var source = MemorySource()
    let name = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn"
    for attention in ["1", "2"] {
      try source.add(name + attention + ".to_q.lora_A.weight", [4, 32])
      try source.add(name + attention + ".to_q.lora_B.weight", [32, 4])
    }
    source.metadata = [
      MetadataEntry(
        key: "lora_adapter_metadata",
        value: #"{"unet.r": 4, "unet.lora_alpha": 8, "unet.alpha_pattern": {"attn2.to_q": 2}}"#)
    ]
    #expect(try LoRAFile(source).modules.map(\.scale.value) == [2, 0.5])
    source.metadata[0].value = #"{"unet.lora_alpha": 8, "unet.use_rslora": true}"#
    #expect(try LoRAFile(source).modules.map(\.scale.value) == [4, 4])
    source.metadata[0].value = #"{"unet.lora_alpha": "much"}"#
    #expect(fault { _ = try LoRAFile(source) }?.rule == .loraSettings)
  }

  @Test("factors of two axes and of four are the same") func axes() throws {
    var source = MemorySource()
    let name = "lora_unet_down_blocks_0_attentions_0_proj_in"
    try source.add(name + ".lora_up.weight", [32, 2, 1, 1])
    try source.add(name + ".lora_down.weight", [2, 32])
    #expect(try LoRAFile(source).modules.first?.weightShape == [32, 32, 1, 1])
    #expect(try problems(source).isEmpty)
  }
}
