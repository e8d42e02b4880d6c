import StableDiffusion
import Tensors
import Testing

@Suite("The schema") struct SchemaTests {
  let schema = Schema.sd15

  @Test("has every name and shape that diffusers' conversion has, in both namings")
  func keymap() throws {
    #expect(KeymapRow.all.count == 1131)
    let byName = Dictionary(uniqueKeysWithValues: schema.parameters.map { ($0.name(in: .ldm), $0) })
    #expect(byName.count == KeymapRow.parameters.count)
    for row in KeymapRow.parameters {
      let parameter = try #require(byName[row.ldmName], "\(row.ldmName)")
      #expect(parameter.component == row.component)
      #expect(parameter.name(in: .diffusers) == row.diffusersName)
      #expect(parameter.shape(in: .ldm) == row.ldmShape, "\(row.ldmName)")
      #expect(parameter.shape(in: .diffusers) == row.diffusersShape, "\(row.ldmName)")
    }
  }

  @Test(
    "has the published number of tensors and values",
    arguments: [
      (Component.textEncoder, 196, 123_060_480), (.unet, 686, 859_520_964), (.vae, 248, 83_653_863),
    ])
  func counts(_ component: Component, tensors: Int, values: Int) {
    let parameters = schema.parameters(of: component)
    #expect(parameters.count == tensors)
    #expect(parameters.reduce(0) { $0 + $1.elementCount } == values)
    #expect(parameters.allSatisfy { $0.component == component && !$0.isOptional })
  }

  /// Counted with the rules of the block-merging extensions over the real checkpoint.
  static let places: [(Place, Int, Int)] = [
    (.clip, 196, 123_060_480), (.vae, 248, 83_653_863), (.time, 4, 2_050_560),
    (.in00, 2, 11_840), (.in01, 36, 4_801_280), (.in02, 36, 4_801_280), (.in03, 2, 921_920),
    (.in04, 38, 15_746_560), (.in05, 36, 17_384_960), (.in06, 2, 3_687_040),
    (.in07, 38, 59_345_920), (.in08, 36, 65_899_520), (.in09, 2, 14_746_880),
    (.in10, 10, 31_138_560), (.in11, 10, 31_138_560), (.m00, 46, 97_038_080),
    (.out00, 12, 49_164_800), (.out01, 12, 49_164_800), (.out02, 14, 63_911_680),
    (.out03, 38, 83_925_760), (.out04, 38, 83_925_760), (.out05, 40, 90_479_360),
    (.out06, 38, 25_989_760), (.out07, 38, 21_892_480), (.out08, 40, 23_530_880),
    (.out09, 38, 6_953_280), (.out10, 38, 5_928_640), (.out11, 38, 5_928_640), (.out, 4, 12_164),
  ]

  @Test("gives every merge place its tensors", arguments: places)
  func place(_ place: Place, tensors: Int, values: Int) {
    let parameters = schema.parameters.filter { $0.place == place }
    #expect(parameters.count == tensors)
    #expect(parameters.reduce(0) { $0 + $1.elementCount } == values)
  }

  @Test("has no parameter outside the 29 places")
  func allPlaces() {
    #expect(Set(schema.parameters.map(\.place)) == Set(Self.places.map(\.0)))
    #expect(Place.allCases.filter { $0 != .label }.count == 29)
  }

  @Test("finds every parameter by each of its names, and no other")
  func bijection() {
    for (index, parameter) in schema.parameters.enumerated() {
      let ldm = parameter.name(in: .ldm), diffusers = parameter.name(in: .diffusers)
      for name in [
        ldm, diffusers, parameter.folderName,
        String(ldm.dropFirst(parameter.component.ldmPrefix.count)),
        "\(parameter.component.folder)." + diffusers,
      ] {
        #expect(schema.match(TensorName(name))?.parameter == index, "\(name)")
      }
    }
    for naming in Naming.allCases {
      #expect(Set(schema.parameters.map { $0.name(in: naming) }).count == 1130)
    }
  }

  @Test("says how a name spells its parameter")
  func spelling() throws {
    func spelling(_ name: TensorName) throws -> Spelling {
      try #require(schema.match(name)).spelling
    }
    let usual = try spelling("model.diffusion_model.input_blocks.0.0.weight")
    #expect(usual.isUsual && usual.naming == .ldm && usual.container == .checkpoint)
    let folder = try spelling("unet/conv_in.weight")
    #expect(folder.isUsual && folder.naming == .diffusers && folder.container == .folder)
    let either = try spelling("encoder.conv_in.weight")
    #expect(either.isUsual && either.naming == nil && either.container == .bare)
    let old = try spelling("vae/decoder.mid_block.attentions.0.proj_attn.bias")
    #expect(!old.isUsual && old.isAlias)
    let short = try spelling("cond_stage_model.transformer.final_layer_norm.weight")
    #expect(!short.isUsual && short.isAlias)
    #expect(try !spelling("model.diffusion_model.conv_in.weight").isUsual)
  }

  @Test(
    "accepts old and shortened names",
    arguments: [
      (
        "decoder.mid_block.attentions.0.query.weight",
        "first_stage_model.decoder.mid.attn_1.q.weight"
      ),
      (
        "vae.encoder.mid_block.attentions.0.key.bias", "first_stage_model.encoder.mid.attn_1.k.bias"
      ),
      (
        "vae/encoder.mid_block.attentions.0.value.bias",
        "first_stage_model.encoder.mid.attn_1.v.bias"
      ),
      (
        "encoder.mid_block.attentions.0.proj_attn.weight",
        "first_stage_model.encoder.mid.attn_1.proj_out.weight"
      ),
      (
        "cond_stage_model.transformer.encoder.layers.11.mlp.fc1.bias",
        "cond_stage_model.transformer.text_model.encoder.layers.11.mlp.fc1.bias"
      ),
      (
        "text_encoder/embeddings.token_embedding.weight",
        "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
      ),
      ("diffusion_model.out.2.bias", "model.diffusion_model.out.2.bias"),
    ])
  func alias(_ alias: String, _ name: String) {
    #expect(schema[TensorName(alias)]?.name(in: .ldm) == name)
  }

  @Test(
    "takes nothing else for a parameter",
    arguments: [
      "", ".", "weight", "conv_in", "model.diffusion_model.", "vae/conv_in.weight",
      "unet/encoder.conv_in.weight", "model.diffusion_model.input_blocks.0.0.Weight",
      "model.diffusion_model.input_blocks.0.0.weight.", "first_stage_model.out.2.bias",
      "model.diffusion_model.model.diffusion_model.out.2.bias",
      "cond_stage_model.transformer.text_model.embeddings.position_ids",
    ])
  func strangers(_ name: String) { #expect(schema[TensorName(name)] == nil) }

  @Test("names the moving average of a U-Net parameter as training does")
  func averages() {
    let conv = schema["conv_in.weight"]
    #expect(conv?.averageName == "model_ema.diffusion_modelinput_blocks00weight")
    #expect(schema["vae/quant_conv.bias"]?.averageName == nil)
    #expect(Set(schema.parameters.compactMap(\.averageName)).count == 686)
  }

  @Test("names the modules of a LoRA as kohya's trainer does")
  func loraNames() {
    func name(_ parameter: TensorName) -> String? {
      schema[parameter].flatMap { $0.module.loraName(in: $0.component) }
    }
    #expect(
      name("model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_out.0.weight")
        == "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_out_0")
    #expect(
      name("text_encoder/text_model.encoder.layers.3.mlp.fc1.weight")
        == "lora_te_text_model_encoder_layers_3_mlp_fc1")
    #expect(name("vae/quant_conv.weight") == nil)
    let attention = schema.parameters.filter {
      $0.slot == .weight && ($0.role == .linear || $0.role == .conv)
        && $0.modules.contains { $0.className == "SpatialTransformer" }
    }
    #expect(attention.count == 192)
    let text = schema.parameters(of: .textEncoder).filter {
      $0.slot == .weight && $0.role == .linear
    }
    #expect(text.count == 72)
  }

  @Test("knows what every layer does, with its constants")
  func operations() {
    func operation(_ name: TensorName) -> LayerOperation? { schema[name]?.operation }
    #expect(
      operation("input_blocks.1.0.in_layers.0.weight") == .groupNorm(groups: 32, epsilon: 1e-5))
    #expect(operation("input_blocks.1.1.norm.bias") == .groupNorm(groups: 32, epsilon: 1e-6))
    #expect(operation("out.0.weight") == .groupNorm(groups: 32, epsilon: 1e-5))
    #expect(operation("decoder.norm_out.weight") == .groupNorm(groups: 32, epsilon: 1e-6))
    #expect(operation("text_model.final_layer_norm.weight") == .layerNorm(epsilon: 1e-5))
    #expect(
      operation("input_blocks.3.0.op.weight") == .conv(kernel: 3, stride: 2, padding: .around))
    #expect(
      operation("encoder.down.0.downsample.conv.weight")
        == .conv(kernel: 3, stride: 2, padding: .belowAndRight))
    let norms = schema.parameters.filter { $0.slot == .weight && $0.role == .groupNorm }
    #expect(norms.count == 61 + 52)
  }

  @Test("keeps names and order when only the widths change")
  func widths() {
    for dimensions in [Dimensions.tiny, .sd15Inpainting, .tiniest] {
      let other = Schema(dimensions)
      #expect(
        other.parameters.map { $0.name(in: .ldm) } == schema.parameters.map { $0.name(in: .ldm) })
    }
    #expect(Schema(.sd15Inpainting)["conv_in.weight"]?.shape == [320, 9, 3, 3])
    #expect(Schema(.tiny).parameters.reduce(0) { $0 + $1.elementCount } * 2 < 8_000_000)
    #expect(Schema(.tiny).parameters.allSatisfy { !$0.isOptional })
    #expect(Schema(.tiniest).parameters.filter(\.isOptional).count == 4 + 8)
  }

  @Test("has, with tiny widths, just the tensors that diffusers builds")
  func tiny() {
    let rows = table("tiny_names.tsv").filter { $0.count == 3 }
    #expect(rows.count == 1130)
    let parameters = Schema(.tiny).parameters
    var shapes: [String: [Int]] = [:]
    for parameter in parameters { shapes[parameter.folderName] = parameter.shape(in: .diffusers) }
    for row in rows {
      // transformers from 5.6 on leaves out this module.
      let isFlat = row[0] == "text_encoder" && !row[1].hasPrefix("text_model.")
      let name = row[0] + (isFlat ? "/text_model." : "/") + row[1]
      #expect(shapes[name] == shape(row[2]), "\(name)")
    }
  }

  @Test("has the classic blocks in its tree, which adds up")
  func tree() throws {
    let tree = schema.tree
    #expect(tree.map(\.className) == ["CLIPTextModel", "UNet", "AutoencoderKL"])
    #expect(tree.map(\.elementCount) == [123_060_480, 859_520_964, 83_653_863])
    #expect(
      tree[1].children.map(\.className) == [
        "TimestepEmbedding", "Conv2d", "CrossAttnDownBlock", "CrossAttnDownBlock",
        "CrossAttnDownBlock", "DownBlock", "UNetMidBlockCrossAttn", "UpBlock", "CrossAttnUpBlock",
        "CrossAttnUpBlock", "CrossAttnUpBlock", "GroupNorm", "Conv2d",
      ])
    let down = try #require(tree[1].children.dropFirst(2).first)
    #expect(down.path.ldm == "input_blocks.1-3" && down.path.diffusers == "down_blocks.0")
    #expect(
      down.children.map(\.className) == [
        "ResNetBlock", "SpatialTransformer", "ResNetBlock", "SpatialTransformer", "Downsample",
      ])
    #expect(tree[1].children.last?.detail == "320 → 4, 3×3")
    func check(_ node: ModuleNode) {
      guard !node.children.isEmpty else {
        #expect(node.detail != nil && (1...2).contains(node.parameters.count))
        return
      }
      #expect(node.children.reduce(0) { $0 + $1.elementCount } == node.elementCount)
      #expect(node.children.first?.parameters.lowerBound == node.parameters.lowerBound)
      #expect(node.children.last?.parameters.upperBound == node.parameters.upperBound)
      node.children.forEach(check)
    }
    tree.forEach(check)
  }
}

@Suite("A merge place") struct PlaceTests {
  @Test("is spelled as in merge recipes and read back", arguments: Place.allCases)
  func spelling(_ place: Place) {
    #expect(Place("\(place)") == place)
    #expect(Place("\(place)".lowercased()) == place)
  }

  @Test("is found by number, in range")
  func numbers() {
    #expect((0..<12).map { "\(Place.input($0)!)" }.last == "IN11")
    #expect(Place.output(0) == .out00 && Place.output(11)?.description == "OUT11")
    #expect(Place.input(12) == nil && Place.output(-1) == nil && Place.input(.max) == nil)
    #expect(Place("IN12") == nil && Place("") == nil && Place("BASE") == nil)
    #expect(Place.clip < .time && Place.in11 < .m00 && Place.out11 < .out)
  }
}
