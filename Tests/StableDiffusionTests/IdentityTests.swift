import StableDiffusion
import Tensors
import Testing

@Suite("Identification") struct IdentityTests {
  @Test("the original checkpoint with averages and buffers is whole and quiet")
  func original() {
    let list = (checkpoint() + averages() + buffers).shuffled(seed: 1)
    #expect(list.count == 1831)
    let identity = ModelIdentity(list)
    #expect(identity.kind == .stableDiffusion1 && identity.isComplete)
    #expect(identity.title == "Stable Diffusion 1.x model")
    #expect(identity.variant == .base && identity.layout == .checkpoint)
    #expect(identity.averageCount == 686 && identity.hasStandardWidths)
    #expect(identity.unexpected.isEmpty)
    #expect(identity.extras.map(\.extra.id) == ["position-ids", "scheduler", "ema-counters"])
    #expect(identity.extras.map(\.tensors.count) == [1, 12, 2])
    #expect(identity.positionIDs.map { list[$0].name } == KnownExtra.positionIDsName)
    #expect(identity.check().isEmpty)
    #expect(identity.check(expecting: .sd15).isEmpty)
    #expect(identity.components.map(\.elementCount) == [123_060_480, 859_520_964, 83_653_863])
    #expect(identity.components.map(\.byteCount).reduce(0, +) == 2 * 1_066_235_307)
    for (index, use) in identity.uses.enumerated() {
      guard case .parameter(let position) = use else { continue }
      #expect(identity.tensor(of: position) == index)
      #expect(identity.schema.parameters[position].name(in: .ldm) == list[index].name.string)
    }
  }

  @Test("a diffusers folder is whole and quiet, with position_ids or without")
  func diffusersFolder() {
    for extra in [[], [tensor("text_encoder/text_model.embeddings.position_ids", [1, 77], .i64)]] {
      let identity = ModelIdentity(folder() + extra)
      #expect(identity.isComplete && identity.layout == .diffusersFolder)
      #expect(identity.check(expecting: .sd15).isEmpty)
      #expect((identity.positionIDs != nil) == !extra.isEmpty)
    }
  }

  @Test(
    "variants are told apart by the channels of the first convolution",
    arguments: [
      (4, Variant.base, "Stable Diffusion 1.x model"),
      (9, .inpainting, "Stable Diffusion 1.x inpainting model"),
      (8, .instructPix2Pix, "Stable Diffusion 1.x InstructPix2Pix model"),
      (5, .custom, "Stable Diffusion 1.x model"),
    ])
  func variant(_ channels: Int, _ variant: Variant, _ title: String) {
    let identity = ModelIdentity(checkpoint(.sd15.with(.unetInput, channels)))
    #expect(identity.variant == variant && identity.title == title && identity.hasStandardWidths)
    #expect(identity.reason.contains("[320, \(channels), 3, 3] takes \(channels) channels"))
    #expect(identity.check().map(\.rule) == (variant == .custom ? [.unknownVariant] : []))
  }

  @Test(
    "a component alone is recognised in either naming",
    arguments: Component.allCases, Naming.allCases)
  func alone(_ component: Component, _ naming: Naming) {
    let identity = ModelIdentity(StableDiffusionTests.alone(component, naming))
    #expect(identity.kind == .stableDiffusion1)
    #expect(
      identity.layout == .component(component, component == .textEncoder ? nil : naming))
    #expect(identity.components.map(\.component) == [component])
    #expect(identity.components.first?.isComplete == true)
    #expect(identity.check().isEmpty)
    #expect(
      identity.check(expecting: .sd15).map(\.rule) == [.missingComponent, .missingComponent])
    #expect(identity.check(expecting: .sd15, components: [component]).isEmpty)
  }

  @Test("averages without a U-Net are found out")
  func averagesOnly() {
    let bare = ModelIdentity(averages(.tiny))
    #expect(bare.kind == .stableDiffusion1 && bare.hasAveragesOnly && bare.variant == .base)
    #expect(bare.title == "Stable Diffusion 1.x U-Net, moving average only with other widths")
    #expect(bare.schema.dimensions.unetWidths == Dimensions.tiny.unetWidths)
    #expect(bare.check().map(\.rule) == [.customWidths, .averagedWeightsOnly])
    let rest = checkpoint(components: [.vae, .textEncoder])
    let identity = ModelIdentity(rest + Array(averages().dropLast(12)))
    #expect(identity.check().map(\.rule) == [.averagedWeightsOnly, .incompleteAverage])
  }

  @Test(
    "widths are read from the shapes",
    arguments: [
      Dimensions.tiny, .tiniest, .sd15Inpainting, .tiny.with(.unetInput, 9),
      .sd15.with(.vocabulary, 49_411),
      .tiniest.with(.unet3, 6).with(.vae3, 10).with(.text, 14)
        .with(.unetContext, 14),
    ])
  func widths(_ dimensions: Dimensions) {
    #expect(ModelIdentity(checkpoint(dimensions)).schema.dimensions == dimensions)
    let identity = ModelIdentity(folder(dimensions).shuffled(seed: 2))
    #expect(identity.schema.dimensions == dimensions)
    #expect(identity.isComplete)
    #expect(identity.check().filter { $0.severity >= .warning }.isEmpty)
  }

  @Test("widths are read in spite of missing and misshapen tensors", arguments: 1...6)
  func damagedWidths(_ seed: UInt64) {
    var generator = SplitMix(state: seed)
    for dimensions in [Dimensions.tiny, .tiniest, .sd15] {
      var list = checkpoint(dimensions)
      // What only one tensor tells must not be damaged.
      let sole = ["input_blocks.0.0.weight", "conv_in", "conv_out", "out.2", "quant", "embedding"]
      for index in list.indices where !sole.contains(where: list[index].name.string.contains) {
        let shapes = [[], [0], [7, 3], [1 << 40], [5, 5, 5, 5], [1, 1, 1, 1, 1], [Int.max, 0]]
        if UInt.random(in: 0..<4, using: &generator) == 0 {
          list[index] = tensor(
            list[index].name.string, shapes.randomElement(using: &generator) ?? [])
        }
      }
      let kept = list.filter { info in
        sole.contains(where: info.name.string.contains)
          || UInt.random(in: 0..<3, using: &generator) > 0
      }
      #expect(ModelIdentity(kept).schema.dimensions == dimensions)
    }
  }

  @Test("a 2-channel model may lack the ways around blocks that keep their channels")
  func optionalSkips() {
    let schema = Schema(.tiniest)
    let list = schema.parameters.filter { !$0.isOptional }.map {
      tensor($0.name(in: .ldm), $0.shape)
    }
    #expect(list.count == 1118)
    let identity = ModelIdentity(list)
    #expect(identity.isComplete)
    #expect(identity.check().map(\.rule) == [.customWidths])
  }

  @Test("a level that changes its channels has the way around that SD 1.5 has not")
  func furtherSkips() {
    let dimensions = Dimensions.tiniest.with(.unet3, 6)
    let list = checkpoint(dimensions)
    let name = "model.diffusion_model.input_blocks.10.0.skip_connection.weight"
    #expect(list.contains { $0.name == TensorName(name) && $0.shape == [6, 2, 1, 1] })
    #expect(Schema.sd15[TensorName(name)] == nil)
    #expect(ModelIdentity(list).unexpected.isEmpty)
    #expect(ModelIdentity(checkpoint() + [tensor(name, [1280, 1280, 1, 1])]).unexpected == [1130])
  }

  @Test("of two spellings the usual one is used, in any order")
  func repeated() {
    let odd = tensor("cond_stage_model.transformer.final_layer_norm.bias", [768])
    for list in [[odd] + checkpoint(), checkpoint() + [odd]] {
      let identity = ModelIdentity(list)
      let index = list.firstIndex(of: odd) ?? 0
      guard case .repeated(let position) = identity.uses[index] else {
        Issue.record("\(identity.uses[index])")
        continue
      }
      #expect(
        identity.tensor(of: position).map { list[$0].name.string }
          == "cond_stage_model.transformer.text_model.final_layer_norm.bias")
      #expect(identity.check().map(\.rule) == [.repeatedParameter])
    }
  }

  @Test("tensors without rank, and names without end, are no trouble")
  func oddTensors() {
    var list = checkpoint().map { tensor($0.name.string, []) }
    #expect(ModelIdentity(list).check().contains { $0.rule == .misshapenTensor })
    list = checkpoint().map { tensor($0.name.string, Array(repeating: 1, count: 70)) }
    #expect(ModelIdentity(list).kind == .stableDiffusion1)
    list = [tensor(String(repeating: "lora_down.", count: 100_000), [])]
    #expect(ModelIdentity(list).kind == .unknown)
    #expect(ModelIdentity([]).reason == "it has no tensors")
  }

  // Were the work to grow with the square of the number, this would take hours.
  @Test(
    "a quarter of a million unknown names are not compared with each other",
    .timeLimit(.minutes(1)))
  func manyUnknownNames() {
    let junk = (0..<250_000).map { tensor("model.diffusion_model.junk.\($0).weight", [4]) }
    let list = Array(checkpoint().dropLast(40)) + junk
    let found = ModelIdentity(list).check()
    #expect(found.contains { $0.rule == .missingTensor })
    #expect(found.contains { $0.rule == .unexpectedTensor })
  }
}
