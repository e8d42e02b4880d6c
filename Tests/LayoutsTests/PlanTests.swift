import Inspection
import Layouts
import StableDiffusion
import Synthesis
import Tensors
import Testing

@Suite("Conversion plans")
struct PlanTests {
  private func request(
    _ layout: OutputLayout = .safetensors, _ change: (inout ConversionRequest) -> Void = { _ in }
  ) -> ConversionRequest {
    var request = ConversionRequest(layout: layout)
    change(&request)
    return request
  }

  /// A model with one of everything that is ever left out.
  private func fullModel() throws -> EditedModel {
    var model = try EditedModel()
    try model.addAverages(seed: 9)
    for name in ["betas", "alphas_cumprod", "scale_factor", "global_step", "something.else"] {
      try model.add(name)
    }
    try model.add("first_stage_model.loss.logvar", .f32, [])
    try model.add("cond_stage_model.transformer.text_model.embeddings.position_embedding.bias")
    return model
  }

  @Test("Nothing is lost in silence: every tensor is written or named as dropped")
  func completeness() throws {
    let model = try fullModel()
    let vae = try EditedModel(seed: 7)
    for layout in OutputLayout.allCases {
      for bits in 0..<32 {
        let plan = ConversionPlan(
          of: model, vae: bits & 1 == 0 ? nil : vae,
          request(layout) {
            $0.prunes = bits & 2 != 0
            $0.usesAverages = bits & 4 != 0
            $0.fixesPositionIDs = bits & 8 != 0
            $0.only = bits & 16 != 0 ? .vae : nil
          },
          discarding: { $0.hasSuffix(".bias") })
        var used: [TensorName] = plan.dropped.map(\.info.name)
        for tensor in plan.tensors where tensor.origin == .model || tensor.origin == .average {
          used.append(tensor.original.name)
        }
        // A tensor that came from elsewhere and was dropped again has the same name twice.
        #expect(Set(used) == Set(model.tensors.map(\.name)), "\(layout) \(bits)")
      }
    }
  }

  @Test("Pruning leaves out averages, buffers and training state, and nothing else")
  func prune() throws {
    let model = try fullModel()
    let plan = ConversionPlan(of: model, request { $0.prunes = true })
    let left = Set(plan.tensors.map(\.info.name))
    let plain = Set(try EditedModel().tensors.map(\.name))
    #expect(
      left.subtracting(plain) == [
        "something.else",
        "cond_stage_model.transformer.text_model.embeddings.position_embedding.bias",
      ])
    #expect(plain.isSubset(of: left))
    #expect(plan.problems.isEmpty)
  }

  @Test("--ema puts the averages' values under the U-Net's names")
  func averages() throws {
    let model = try fullModel()
    let plan = ConversionPlan(of: model, request { $0.usesAverages = true })
    #expect(plan.problems.isEmpty)
    let other = try EditedModel(seed: 9).contents
    let own = model.contents
    let swapped = plan.tensors.filter { $0.origin == .average }
    #expect(swapped.count == Schema(.tiniest).range(of: .unet).count)
    for tensor in swapped { #expect(own[tensor.original.name] == other[tensor.info.name]) }
    #expect(!plan.tensors.contains { $0.info.name.hasPrefix("model_ema.") })
  }

  @Test("An incomplete average is refused, and the first missing tensor named")
  func incompleteAverage() throws {
    var model = try fullModel()
    model.remove { $0 == "model_ema.diffusion_modelout2bias" }
    let plan = ConversionPlan(of: model, request { $0.usesAverages = true })
    let fault = try #require(plan.problems.first)
    #expect(fault.rule == .noAverage)
    #expect(fault.sentence.contains("'model_ema.diffusion_modelout2bias' is missing"))
  }

  @Test("Pruning a model that has averages only is refused")
  func averagesOnly() throws {
    var model = try fullModel()
    model.remove { $0.hasPrefix("model.diffusion_model.") }
    let plan = ConversionPlan(of: model, request { $0.prunes = true })
    #expect(plan.problems.first?.rule == .averagedWeightsOnly)
    let swapped = ConversionPlan(
      of: model,
      request {
        $0.prunes = true
        $0.usesAverages = true
      })
    #expect(swapped.problems.isEmpty)
    #expect(swapped.tensors.contains { $0.info.name == "model.diffusion_model.out.2.bias" })
  }

  @Test(
    "Another model's VAE takes the place of the model's own, whatever its layout",
    arguments: [OutputLayout.safetensors, .diffusers], [true, false])
  func vae(layout: OutputLayout, isAlone: Bool) throws {
    let model = try EditedModel()
    let donor = try EditedModel(seed: 7)
    let shown: any TensorSource
    if isAlone {
      let arrangement = Arrangement(
        ModelIdentity(donor.tensors), layout: .diffusers, alone: .vae)
      shown = SelectedSource(
        donor, arrangement.selection.filter { donor.tensors[$0.index].name.hasPrefix("first_") })
    } else {
      shown = donor
    }
    let plan = ConversionPlan(of: model, vae: shown, request(layout))
    #expect(plan.problems.isEmpty)
    #expect(plan.dropped.count == 248)
    let taken = plan.tensors.filter { $0.origin == .vae }
    #expect(taken.count == 248)
    let prefix = layout == .diffusers ? "vae/" : "first_stage_model."
    #expect(taken.allSatisfy { $0.info.name.hasPrefix(prefix) })
    #expect(plan.tensors.count == model.tensors.count)
  }

  @Test("A VAE of other widths, an incomplete one and none at all are refused")
  func unfitVAE() throws {
    let model = try EditedModel()
    let wide = try EditedModel(dimensions: .tiniest.with(.vae1, 4))
    var incomplete = try EditedModel()
    incomplete.remove { $0 == "first_stage_model.quant_conv.bias" }
    var without = try EditedModel()
    without.remove { $0.hasPrefix("first_stage_model.") }
    for (donor, words) in [
      (wide, "has another width: VAE channels, level 1: expected 2, found 4"),
      (incomplete, "has an incomplete VAE: expected 240 tensors, found 239"),
      (without, "has no VAE of Stable Diffusion 1.x"),
    ] {
      let plan = ConversionPlan(of: model, vae: donor, request())
      let fault = try #require(plan.problems.first)
      #expect(fault.rule == .unfitVAE)
      #expect(fault.sentence.hasPrefix(words))
    }
  }

  @Test("Wrong token positions are written anew, missing ones added, right ones kept")
  func positionIDs() throws {
    let name = KnownExtra.positionIDsName
    let right: [UInt8] = (0..<77).flatMap { (position: UInt8) -> [UInt8] in
      [position, 0, 0, 0, 0, 0, 0, 0]
    }
    var damaged = try EditedModel()
    damaged.remove { $0 == name }
    let missing = damaged
    try damaged.add(name.string, .f16, [1, 77])
    for (model, origin) in [
      (damaged, PlannedTensor.Origin.known), (missing, .known), (try EditedModel(), .model),
    ] {
      let plan = ConversionPlan(of: model, request { $0.fixesPositionIDs = true })
      let tensor = try #require(plan.tensors.first { $0.info.name == name })
      #expect(tensor.origin == origin)
      #expect(tensor.info.dtype == .i64)
      #expect(tensor.info.shape == [1, 77])
    }
    let output = TemporaryPath()
    try ConversionPlan(of: damaged, request { $0.fixesPositionIDs = true })
      .write(to: output.path, width: 1)
    #expect(try output.bytes(of: name) == right)
  }

  @Test("Types are chosen by component; integers and the noise schedule stay")
  func types() throws {
    var model = try EditedModel(dtype: .f32)
    try model.add("betas", .f32, [4])
    let plan = ConversionPlan(
      of: model,
      request {
        $0.types = TypeChoice(.f16)
        $0.types[.vae] = .f32
        $0.types[.textEncoder] = .bf16
      })
    for tensor in plan.tensors {
      let expected: DType =
        switch tensor.component {
        case .vae: .f32
        case .textEncoder: .bf16
        case .unet: .f16
        case nil: tensor.original.dtype
        }
      #expect(tensor.info.dtype == expected, "\(tensor.info.name)")
    }
  }

  @Test("What needs to know the structure is refused for other kinds of models")
  func otherKinds() throws {
    let model = SyntheticModel(preset: .loraTiny, seed: 5)
    for request in [
      request(.diffusers), request { $0.only = .unet }, request { $0.prunes = true },
      request { $0.types[.vae] = .f32 },
    ] {
      let fault = try #require(ConversionPlan(of: model, request).problems.first)
      #expect(fault.rule == .unmappedModel)
      #expect(fault.sentence.contains("expected a Stable Diffusion 1.x model, found"))
    }
  }

  @Test("8-bit weights with scales are copied, but neither renamed nor cast")
  func scales() throws {
    var model = try EditedModel()
    model.remove { $0 == "model.diffusion_model.out.2.weight" }
    try model.add("model.diffusion_model.out.2.weight", .f8E4M3, [4, 2, 3, 3])
    try model.add("model.diffusion_model.out.2.scale_weight", .f32, [])
    #expect(ConversionPlan(of: model, request(.ckpt)).problems.isEmpty)
    for request in [request(.diffusers), request { $0.types = TypeChoice(.f16) }] {
      #expect(ConversionPlan(of: model, request).problems.map(\.rule) == [.scaledWeights])
    }
  }

  @Test("Texts that state a hash of the tensors are dropped when a tensor changes")
  func hashes() throws {
    var model = try EditedModel()
    model.metadata.append(MetadataEntry(key: "modelspec.hash_sha256", value: "0x00"))
    #expect(ConversionPlan(of: model, request()).metadata?.count == 2)
    let plan = ConversionPlan(of: model, request { $0.types = TypeChoice(.f32) })
    #expect(plan.metadata == [MetadataEntry(key: "format", value: "pt")])
    #expect(plan.droppedMetadata.map(\.entry.key) == ["modelspec.hash_sha256"])
    let bare = ConversionPlan(of: model, request { $0.keepsMetadata = false })
    #expect(bare.metadata == nil)
    #expect(bare.droppedMetadata.count == 1)
  }

  @Test("A model without anything left is refused")
  func nothing() throws {
    let plan = ConversionPlan(of: try EditedModel(), request(), discarding: { _ in true })
    #expect(plan.problems.map(\.rule) == [.nothingToWrite])
    #expect(plan.dropped.count == (try EditedModel()).tensors.count)
  }
}
