import StableDiffusion
import Tensors
import Testing

/// A small model of some kind, and what shows the kind.
struct KindCase: Sendable, CustomTestStringConvertible {
  let kind: ModelKind
  let evidence: String
  let tensors: [TensorInfo]

  init(_ kind: ModelKind, _ evidence: String, _ tensors: [TensorInfo]) {
    self.kind = kind
    self.evidence = evidence
    self.tensors = tensors
  }

  var testDescription: String { "\(kind.rawValue): \(evidence)" }

  /// A U-Net whose transformers begin with matrices, as later ones do.
  static func laterUNet(_ list: [TensorInfo]) -> [TensorInfo] {
    list.map {
      $0.name.hasSuffix("proj_in.weight") || $0.name.hasSuffix("proj_out.weight")
        ? tensor($0.name.string, Array($0.shape.prefix(2))) : $0
    }
  }

  static let all: [KindCase] = [
    KindCase(
      .stableDiffusion2, "cond_stage_model.model.",
      laterUNet(checkpoint(.sd15.with(.unetContext, 1024), components: [.unet, .vae]))
        + [tensor("cond_stage_model.model.token_embedding.weight", [49408, 1024])]),
    KindCase(
      .stableDiffusion2, "proj_in",
      laterUNet(alone(.unet, .diffusers, .sd15.with(.unetContext, 1024)))),
    KindCase(
      .stableDiffusion2, "encoder.layers.12",
      alone(.textEncoder, .diffusers, .sd15.with(.text, 1024))
        + [tensor("text_model.encoder.layers.12.mlp.fc1.weight", [4096, 1024])]),
    KindCase(
      .sdxlBase, "conditioner.embedders.1.",
      checkpoint(components: [.vae]) + [
        tensor("conditioner.embedders.1.model.ln_final.weight", [1280]),
        tensor("model.diffusion_model.label_emb.0.0.weight", [1280, 2816]),
        tensor(
          "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight",
          [640, 2048]),
      ]),
    KindCase(
      .sdxlBase, "add_embedding.linear_1.weight",
      [
        tensor("add_embedding.linear_1.weight", [1280, 2816]),
        tensor("conv_in.weight", [320, 4, 3, 3]),
      ]
    ),
    KindCase(.sdxlBase, "text_encoder_2/", [tensor("text_encoder_2/text_projection.weight", [4])]),
    KindCase(
      .sdxlRefiner, "conditioner.embedders.0.model.",
      checkpoint(components: [.vae]) + [
        tensor("conditioner.embedders.0.model.ln_final.weight", [1280]),
        tensor("model.diffusion_model.label_emb.0.0.weight", [1536, 2560]),
      ]),
    KindCase(
      .sdxlRefiner, "attn2.to_k",
      [
        tensor("add_embedding.linear_1.weight", [1536, 2560]),
        tensor("down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight", [768, 1280]),
      ]),
    KindCase(
      .stableDiffusion3, "joint_blocks.",
      [tensor("model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight", [4608, 1536])]),
    KindCase(
      .stableDiffusion3, "16 latent channels",
      alone(.vae, .ldm, .sd15.with(.latent, 16)).filter { !$0.name.string.contains("quant_conv") }),
    KindCase(
      .flux, "double_blocks.", [tensor("double_blocks.0.img_attn.qkv.weight", [9216, 3072])]),
    KindCase(
      .flux, "single_transformer_blocks.",
      [
        tensor("transformer_blocks.0.attn.add_q_proj.weight", [4, 4]),
        tensor("single_transformer_blocks.0.attn.to_q.weight", [4, 4]),
      ]),
    KindCase(
      .controlNet, "controlnet_cond_embedding.",
      Schema.sd15.parameters(of: .unet).filter { $0.place < .out00 }.map {
        tensor($0.name(in: .diffusers), $0.shape)
      } + [
        tensor("controlnet_cond_embedding.conv_in.weight", [16, 3, 3, 3]),
        tensor("controlnet_down_blocks.0.weight", [320, 320, 1, 1]),
      ]),
    KindCase(
      .controlNet, "control_model.",
      [tensor("control_model.input_blocks.0.0.weight", [320, 4, 3, 3])]),
    KindCase(
      .controlNet, "lora_controlnet",
      [tensor("lora_controlnet", []), tensor("input_blocks.0.0.weight", [320, 4, 3, 3])]),
    KindCase(
      .t2iAdapter, "body.0.block1.weight",
      [
        tensor("conv_in.weight", [320, 192, 3, 3]),
        tensor("body.0.block1.weight", [320, 320, 3, 3]),
      ]
    ),
    KindCase(.ipAdapter, "ip_adapter.", [tensor("ip_adapter.1.to_k_ip.weight", [320, 768])]),
    KindCase(
      .motionModule, "motion_modules",
      [tensor("down_blocks.0.motion_modules.0.temporal_transformer.norm.weight", [320])]),
    KindCase(.textualInversion, "emb_params", [tensor("emb_params", [8, 768])]),
    KindCase(.textualInversion, "<cat-toy>", [tensor("<cat-toy>", [768])]),
    KindCase(.textualInversion, "string_to_param.", [tensor("string_to_param.*", [2, 768])]),
    KindCase(
      .textualInversion, "vectors", [tensor("clip_g", [2, 1280]), tensor("clip_l", [2, 768])]),
    KindCase(.hypernetwork, "768.", [tensor("768.0.linear.0.weight", [1536, 768])]),
    KindCase(.upscaler, "conv_first.weight", [tensor("conv_first.weight", [64, 3, 3, 3])]),
    KindCase(
      .upscaler, "model.1.sub.", [tensor("model.1.sub.0.RDB1.conv1.0.weight", [32, 64, 3, 3])]),
    KindCase(.unknown, "wte.weight", [tensor("wte.weight", [50257, 768]), tensor("b", [])]),
    KindCase(.unknown, "only 3", Array(checkpoint().prefix(3))),
    KindCase(.unknown, "no tensors", []),
  ]
}

@Suite("A kind of model") struct KindTests {
  @Test("is recognised, and its evidence named", arguments: KindCase.all)
  func kind(_ example: KindCase) {
    for list in [example.tensors, example.tensors.reversed()] {
      let identity = ModelIdentity(list)
      #expect(identity.kind == example.kind, "\(identity.reason)")
      guard identity.kind == example.kind else { return }
      if example.kind != .unknown || list.count != 2 {
        #expect(identity.reason.contains(example.evidence), "\(identity.reason)")
      }
      #expect(identity.uses.allSatisfy { $0 == .unmapped } && identity.components.isEmpty)
      #expect(
        identity.check().map(\.rule) == [example.kind == .unknown ? .unknownModel : .otherModel])
      #expect(identity.check(expecting: .sd1).map(\.rule) == [.wrongArchitecture])
    }
  }

  static let adapters: [(String, String, AdapterFamily, String)] = [
    ("lora_unet_mid_block_attentions_0_proj_in.", "lora_down.weight", .lora, "kohya"),
    ("lora_unet_middle_block_1_proj_in.", "lora_up.weight", .lora, "kohya, original block names"),
    ("lora_te_text_model_encoder_layers_0_mlp_fc1.", "hada_w1_a", .loha, "kohya"),
    ("lycoris_mid_block_attentions_0_proj_in.", "lokr_w2_b", .lokr, "LyCORIS"),
    ("lora_unet_mid_block_attentions_0_proj_in.", "a1.weight", .glora, "kohya"),
    ("lora_unet_mid_block_attentions_0_proj_in.", "on_input", .ia3, "kohya"),
    ("oft_unet_mid_block_attentions_0_proj_in.", "oft_blocks", .oft, "kohya OFT"),
    ("lora_unet_conv_in.", "diff_b", .full, "kohya"),
    ("lora_unet_conv_norm_out.", "w_norm", .norm, "kohya"),
    ("lora_unet_mid_block_attentions_0_proj_in.", "q_layer.weight", .timeDependent, "kohya"),
    (
      "mid_block.attentions.0.transformer_blocks.0.attn1.processor.", "to_q_lora.down.weight",
      .lora, "diffusers before 0.22"
    ),
    (
      "text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer.",
      "down.weight", .lora, "diffusers before 0.22"
    ),
    (
      "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.", "lora.up.weight", .lora,
      "diffusers"
    ),
    (
      "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.", "lora_A.weight", .lora,
      "diffusers with PEFT"
    ),
    (
      "base_model.model.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.",
      "lora_B.default.weight", .lora, "PEFT"
    ),
    ("diffusion_model.middle_block.1.proj_in.", "lora_down.weight", .lora, "ComfyUI"),
    ("unet:12:", "up", .lora, "cloneofsimo"),
    ("mid_block.attentions.0.proj_in.___.layer.", "W_down", .lora, "HCP-Diffusion"),
  ]

  @Test("of adapter is told by the ends of the names", arguments: adapters.indices)
  func adapter(_ index: Int) {
    let (module, end, family, dialect) = Self.adapters[index]
    let identity = ModelIdentity([
      tensor(module + end, [4, 320]), tensor("lora_unet_mid_block_attentions_0_proj_in.alpha", []),
      tensor("bundle_emb.word.string_to_param.*", [1, 768]),
    ])
    #expect(identity.kind == .adapter, "\(identity.reason)")
    #expect(identity.adapter?.families == [family] && identity.adapter?.dialect == dialect)
    #expect(identity.title == family.rawValue)
  }

  @Test(
    "of model that an adapter is for is told by the width of its context",
    arguments: [
      (768, ModelKind.stableDiffusion1), (1024, .stableDiffusion2), (2048, .sdxlBase), (99, nil),
    ])
  func base(_ width: Int, _ kind: ModelKind?) {
    let identity = ModelIdentity([
      tensor(
        "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight",
        [4, width]),
      tensor("lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k.alpha", []),
    ])
    #expect(identity.adapter?.base == kind)
  }

  @Test("that works beside a model does not hide the model")
  func beside() {
    let list =
      checkpoint() + [
        tensor("control_model.input_blocks.0.0.weight", [320, 4, 3, 3]),
        tensor("conv_first.weight", [4]), tensor("emb_params", [1, 768]),
      ]
    let identity = ModelIdentity(list)
    #expect(identity.kind == .stableDiffusion1)
    #expect(identity.extras.map(\.extra) == [.control])
    #expect(identity.check().map(\.rule) == [.unexpectedTensor, .unexpectedTensor])
  }
}
