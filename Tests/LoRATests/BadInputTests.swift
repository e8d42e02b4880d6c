import LoRA
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

@Suite("LoRAs that cannot be merged")
struct BadInputTests {
  @Test(
    "a LoRA for another model is told by the width of its context",
    arguments: [(1024, "Stable Diffusion 2.x"), (2048, "SDXL")])
  func otherModel(width: Int, model: String) throws {
    var source = MemorySource()
    let name = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    try source.add(name + ".lora_up.weight", [320, 2])
    try source.add(name + ".lora_down.weight", [2, width])
    let problem = try #require(try problems(source).first)
    #expect(problem.rule == .loraOtherModel)
    #expect(problem.sentence.contains("was made for \(model)"))
    #expect(problem.sentence.contains("\(width)"))
  }

  @Test("a name that only SDXL has tells, too") func secondEncoder() throws {
    let source = try lora { try $0.add("lora_te2_text_model_x.lora_up.weight", [32, 2]) }
    #expect(try problems(source).first?.rule == .loraOtherModel)
  }

  @Test("a checkpoint is no LoRA") func checkpoint() throws {
    let found = fault { _ = try LoRAFile(base) }
    #expect(found?.rule == .loraIsModel)
    #expect(found?.hint?.contains("sdtool merge") == true)
  }

  @Test("a file of anything else is no LoRA") func nothing() throws {
    var source = MemorySource()
    try source.add("x", [2])
    #expect(fault { _ = try LoRAFile(source) }?.rule == .loraNothing)
  }

  @Test(
    "a Control-LoRA and a T-LoRA are refused with the reason",
    arguments: ["lora_controlnet", layer + ".lambda_layer"])
  func unmergeable(name: String) throws {
    let source = try lora { try $0.add(name, [1]) }
    #expect(fault { _ = try LoRAFile(source) }?.rule == .loraUnmergeable)
  }

  @Test("factors of two ranks are named with both shapes") func ranks() throws {
    var source = MemorySource()
    try source.add(layer + ".lora_up.weight", [32, 8])
    try source.add(layer + ".lora_down.weight", [4, 32])
    let problem = try #require(try problems(source).first)
    #expect(problem.rule == .loraFactors)
    #expect(problem.tensor?.string == layer)
    #expect(problem.sentence.contains("[32, 8]") && problem.sentence.contains("[4, 32]"))
  }

  @Test(
    "a missing factor is named",
    arguments: ["lora_up.weight", "hada_w1_a", "lokr_w1", "a1.weight"])
  func missing(end: String) throws {
    var source = MemorySource()
    try source.add("\(layer).\(end)", [32, 2])
    #expect(try problems(source).first?.rule == .loraFactors)
  }

  @Test("a change of another shape than the weight is refused with both") func shape() throws {
    var source = MemorySource()
    try source.add(layer + ".lora_up.weight", [64, 2])
    try source.add(layer + ".lora_down.weight", [2, 32])
    let problem = try #require(try problems(source).first)
    #expect(problem.rule == .loraShape)
    #expect(problem.expected?.contains("[32, 32]") == true && problem.found == "[64, 32]")
  }

  @Test("one module under two spellings is refused") func duplicate() throws {
    let source = try lora {
      try $0.add(
        "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.diff", [32, 32])
    }
    #expect(try problems(source).first?.rule == .loraDuplicate)
  }

  @Test("two algebras for one module are refused") func twoKinds() throws {
    let source = try lora { try $0.add(layer + ".diff", [32, 32]) }
    #expect(try problems(source).first?.rule == .loraDuplicate)
  }

  @Test("what fits nothing is an error unless it is allowed") func unmatched() throws {
    let source = try lora { try $0.add("lora_unet_no_such_module.lora_up.weight", [32, 2]) }
    #expect(try problems(source).map(\.rule) == [.loraUnmatched])
    #expect(try problems(source) { $0.allowsUnmatched = true }.isEmpty)
  }

  @Test("names without their beginnings are told as such") func truncated() throws {
    let source = try lora { try $0.add("0.attn1.to_k.lora_down.weight", [2, 32]) }
    #expect(try problems(source).map(\.rule) == [.loraTruncated])
    let tail = try lora {
      try $0.add("transformer_blocks.0.attn1.to_k.lora_down.weight", [2, 32])
    }
    #expect(try problems(tail).map(\.rule) == [.loraTruncated])
  }

  @Test("NaN and infinity are refused", arguments: [Float.nan, .infinity])
  func nonFinite(value: Float) throws {
    var source = MemorySource()
    try source.add(layer + ".lora_up.weight", [32, 2], all: value)
    try source.add(layer + ".lora_down.weight", [2, 32])
    #expect(try problems(source).map(\.rule) == [.loraNonFinite])
  }

  @Test("a LoRA of zeros is merged with a warning") func zeros() throws {
    var source = MemorySource()
    try source.add(layer + ".lora_up.weight", [32, 2], all: 0)
    try source.add(layer + ".lora_down.weight", [2, 32])
    let plan = try LoRAMergePlan(
      base, LoRAMergeRequest([LoRAUse(try LoRAFile(source))]), width: 1)
    #expect(plan.problems.isEmpty)
    #expect(plan.findings.contains { $0.rule == .loraZero && $0.severity == .warning })
  }

  @Test("magnitudes that fit both directions are refused until one is given") func axis() throws {
    let source = try lora { try $0.add(layer + ".dora_scale", [32], all: 1) }
    #expect(try problems(source).map(\.rule) == [.loraAxis])
    #expect(try problems(source) { $0.magnitudeAxis = .output }.isEmpty)
  }

  @Test("a module that the base does not have is unmatched") func otherBase() throws {
    let unet = SyntheticModel(preset: .vae, seed: 1)
    let plan = try LoRAMergePlan(
      unet, LoRAMergeRequest([LoRAUse(try LoRAFile(try lora()))]), width: 1)
    #expect(plan.problems.map(\.rule) == [.loraUnmatched])
    #expect(plan.ledgers[0].allSatisfy { $0.word == "unmatched" })
  }

  @Test("a result beyond half precision is an error, or clamped and counted") func overflow() throws
  {
    var source = MemorySource()
    try source.add(layer + ".diff", [32, 32], all: 70000)
    var request = LoRAMergeRequest([LoRAUse(try LoRAFile(source))])
    request.types[.unet] = .f16
    let strict = LoRAMergedSource(try LoRAMergePlan(base, request, width: 1))
    let index = try #require(strict.tensors.firstIndex { $0.dtype == .f16 })
    #expect(fault { _ = try strict.bytes(of: index) }?.rule == .loraOverflow)
    request.overflow = .clamp
    let clamping = LoRAMergedSource(try LoRAMergePlan(base, request, width: 1))
    #expect(try values(clamping, index).allSatisfy { $0 == 65504 })
    #expect(clamping.tensorEffects().map(\.clampedCount) == [1024])
  }

  /// Shapes that no module can have, for every kind of factor.
  static let oddities: [[String: [Int]]] = [
    ["lora_up.weight": [], "lora_down.weight": []],
    ["lora_up.weight": [32, 0], "lora_down.weight": [0, 32]],
    ["lora_up.weight": [32, 2], "lora_down.weight": [2, 32], "lora_mid.weight": [3]],
    ["hada_w1_a": [32], "hada_w1_b": [1, 32], "hada_w2_a": [32, 1], "hada_w2_b": [1, 32]],
    ["lokr_w1": [0, 0], "lokr_w2": [0, 0]],
    ["lokr_w1": [4, 4], "lokr_w2_a": [8, 2], "lokr_w2_b": [3, 8]],
    ["oft_blocks": [0, 0, 0]], ["oft_blocks": [2, 2]], ["oft_blocks": [40, 1, 32, 32]],
    ["oft_diag": [1, 2, 3]], ["weight": [7], "on_input": []], ["diff": []], ["w_norm": [3, 3]],
    ["a1.weight": [2], "a2.weight": [2], "b1.weight": [2], "b2.weight": [2]],
    ["lora_up.weight": [32, 2], "lora_down.weight": [2, 32], "dora_scale": [5]],
    ["bias_indices": [1], "bias_values": [2], "bias_size": [2], "diff": [32, 32]],
  ]

  @Test("odd shapes are refused, never a crash", arguments: oddities)
  func odd(shapes: [String: [Int]]) throws {
    var source = MemorySource()
    for (end, shape) in shapes.sorted(by: { $0.key < $1.key }) {
      try source.add("\(layer).\(end)", shape)
    }
    #expect(try !problems(source).isEmpty)
  }

  @Test(
    "SDXL is told from any layer that takes the context, and from its many transformer blocks",
    arguments: [
      ("input_blocks_4_1_transformer_blocks_0_attn2_to_v", 2048),
      ("input_blocks_4_1_transformer_blocks_1_attn1_to_q", 640),
    ])
  func sdxl(name: String, width: Int) throws {
    var source = MemorySource()
    try source.add("lora_unet_\(name).lora_up.weight", [640, 2])
    try source.add("lora_unet_\(name).lora_down.weight", [2, width])
    let problem = try #require(try problems(source).first)
    #expect(problem.rule == .loraOtherModel && problem.sentence.contains("was made for SDXL"))
  }

  @Test("a sparse value outside of the weight is known before anything is computed")
  func sparse() throws {
    let source = try lora { source in
      try source.add(
        layer + ".bias_indices", .i64, [2, 1],
        [Int64(31), 32].flatMap { littleEndian($0) })
      try source.add(layer + ".bias_values", [1])
      try source.add(
        layer + ".bias_size", .i64, [2], [Int64(32), 32].flatMap { littleEndian($0) })
    }
    let problem = try #require(try problems(source).first)
    #expect(problem.rule == .loraFactors && problem.sentence.contains("column 32"))
  }

  @Test(
    "NaN in a weight that a LoRA changes is refused, whether or not it would spread",
    arguments: ["oft", "lora"])
  func brokenModel(_ file: String) throws {
    let name: TensorName =
      "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"
    var model = MemorySource()
    for (index, tensor) in base.tensors.enumerated() {
      var bytes = try base.bytes(of: index)
      if tensor.name == name { bytes.replaceSubrange(0..<4, with: [0, 0, 0xC0, 0x7F]) }
      try model.add(tensor.name.string, tensor.dtype, tensor.shape, bytes)
    }
    let lora = try LoRAFile(path: Fixtures.path("lora/\(file).safetensors"))
    for type in [DType.f16, .f32] {
      var request = LoRAMergeRequest([LoRAUse(lora)])
      for component in Component.allCases { request.types[component] = type }
      let merged = LoRAMergedSource(try LoRAMergePlan(model, request, width: 1))
      let index = try position(name, in: merged)
      let found = try #require(fault { _ = try merged.bytes(of: index) })
      #expect(found.rule == .loraBase && found.sentence.contains("holds NaN or infinity"))
    }
  }

  @Test("what is too large gets a hint that helps", arguments: [DType.f16, .bf16, .f32])
  func overflow(type: DType) throws {
    let source = try lora { try $0.add(layer + ".scale", [], [3e38]) }
    var request = LoRAMergeRequest([LoRAUse(try LoRAFile(source), LoRAStrength(1e6))])
    for component in Component.allCases { request.types[component] = type }
    let merged = LoRAMergedSource(try LoRAMergePlan(base, request, width: 1))
    let index = try position(
      "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight", in: merged)
    let found = try #require(fault { _ = try merged.bytes(of: index) })
    #expect(found.rule == .loraOverflow)
    #expect(found.hint?.contains("--dtype") == (type == .f16))
  }

  @Test("IA3 of PEFT whose shape leaves the direction open needs its settings")
  func direction() throws {
    var source = MemorySource()
    let stem = "base_model.model.down_blocks.0.attentions.0.proj_in"
    try source.add(stem + ".ia3_l", [1, 32, 1, 1], all: 1.5)
    #expect(try problems(source).first?.rule == .loraSettings)
    var other = MemorySource()
    try other.add("base_model.model.conv_in.ia3_l", [1, 4, 1, 1], all: 1.5)
    #expect(try problems(other).isEmpty)
  }

  @Test("OFT of PEFT without its settings is refused") func rotationSettings() throws {
    var source = MemorySource()
    let stem = "base_model.model.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    try source.add(stem + ".oft_R.weight", [4, 28])
    let problem = try #require(try problems(source).first)
    #expect(problem.rule == .loraSettings && problem.sentence.contains("adapter_config.json"))
  }

  @Test(
    "rotations of inputs that do not fit are refused",
    arguments: [("boft_R", [1, 3, 8, 8]), ("boft_R", [4, 4, 8, 8]), ("boft_R", [1, 4, 8, 7])])
  func rotations(name: String, shape: [Int]) throws {
    var source = MemorySource()
    let stem = "base_model.model.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    try source.add("\(stem).\(name)", shape)
    try source.add(stem + ".boft_s", [32, 1], all: 1)
    let rule = try #require(try problems(source).first?.rule)
    #expect([.loraShape, .loraFactors].contains(rule))
  }

  @Test("a first convolution of four channels changes those of the picture, not the mask's")
  func inpainting() throws {
    let model = SyntheticModel(preset: .sd15TinyInpainting, seed: 7, dtype: .f32)
    for name in ["locon", "dora_out", "lokr", "oft"] {
      let file = try LoRAFile(path: Fixtures.path("lora/\(name).safetensors"))
      let plan = try LoRAMergePlan(model, LoRAMergeRequest([LoRAUse(file)]), width: 1)
      #expect(plan.problems.isEmpty, "\(name)")
      let merged = LoRAMergedSource(plan)
      let index = try position("model.diffusion_model.input_blocks.0.0.weight", in: merged)
      let shape = merged.tensors[index].shape
      let before = try values(model, index), after = try values(merged, index)
      let changed = before.indices.filter { before[$0] != after[$0] }
      #expect(!changed.isEmpty)
      guard name != "oft" else { continue }
      // The others are those of the mask and the masked picture.
      #expect(changed.allSatisfy { $0 / 9 % shape[1] < 4 })
      #expect(plan.findings.contains { $0.severity == .note && $0.rule == .loraShape })
    }
  }
}
