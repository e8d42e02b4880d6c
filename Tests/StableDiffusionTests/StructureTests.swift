import StableDiffusion
import Tensors
import Testing

@Suite("The structure check") struct StructureTests {
  let convIn = "model.diffusion_model.input_blocks.0.0.weight"

  @Test("names every missing tensor, and the component")
  func missing() throws {
    let list = checkpoint().filter { !$0.name.hasSuffix("input_blocks.4.0.skip_connection.bias") }
      .filter { !$0.name.hasPrefix("first_stage_model.encoder.") }
    let faults = ModelIdentity(list).check()
    #expect(faults.filter { $0.rule == .incompleteComponent }.count == 2)
    let missing = faults.filter { $0.rule == .missingTensor }
    #expect(missing.count == 1 + 106)
    let first = try #require(missing.first)
    #expect(
      first.sentence
        == "'model.diffusion_model.input_blocks.4.0.skip_connection.bias' is missing: expected [640]"
    )
    #expect(faults.contains { $0.expected == "248 tensors" && $0.found == "142" })
  }

  @Test("spells a missing tensor as the file spells the others")
  func missingSpelling() {
    func name(_ list: [TensorInfo], without suffix: String) -> String? {
      let identity = ModelIdentity(list.filter { !$0.name.hasSuffix(suffix) })
      return identity.check().first { $0.rule == .missingTensor }?.tensor?.string
    }
    #expect(name(folder(), without: "unet/conv_out.bias") == "unet/conv_out.bias")
    #expect(name(alone(.unet, .diffusers), without: "conv_out.bias") == "conv_out.bias")
    #expect(name(alone(.unet, .ldm), without: "out.2.bias") == "out.2.bias")
    #expect(
      name(alone(.vae, .ldm), without: "decoder.up.0.block.0.conv1.bias")
        == "decoder.up.0.block.0.conv1.bias")
  }

  @Test("guesses which missing tensor a misspelt one is")
  func suggestion() {
    let name = "model.diffusion_model.out.2.bias"
    let list = checkpoint().map { $0.name == TensorName(name) ? tensor(name + "s", $0.shape) : $0 }
    let faults = ModelIdentity(list).check()
    #expect(faults.map(\.rule) == [.incompleteComponent, .missingTensor, .unexpectedTensor])
    #expect(faults.last?.hint == "perhaps it is '\(name)', which is missing")
  }

  @Test("has no missing VAE in a U-Net's own file, but in one with two components")
  func missingComponent() {
    #expect(ModelIdentity(checkpoint(components: [.unet])).check().isEmpty)
    let identity = ModelIdentity(checkpoint(components: [.unet, .textEncoder]))
    #expect(identity.title == "Stable Diffusion 1.x text encoder and U-Net")
    #expect(identity.check().map(\.message) == ["has no VAE"])
    #expect(identity.check(components: [.unet, .textEncoder]).isEmpty)
    #expect(identity.check(components: [.vae]).map(\.rule) == [.missingComponent])
  }

  @Test(
    "explains a near miss",
    arguments: [
      (
        "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", [320, 1024],
        "Stable Diffusion 2.x has a context of 1024"
      ),
      (
        "input_blocks.1.1.transformer_blocks.0.attn2.to_v.weight", [320, 2048],
        "SDXL has a context of 2048"
      ),
      (
        "input_blocks.1.1.proj_in.weight", [320, 320],
        "Stable Diffusion 2.x and XL have a matrix here"
      ),
      ("time_embed.0.weight", [320, 1280], "its axes are reversed"),
      ("time_embed.0.weight", [320, 2, 640], "the number of values is right: it was reshaped"),
      ("time_embed.0.weight", [0, 320], "it holds no values"),
      ("time_embed.0.weight", [], nil), ("time_embed.0.weight", [1, 2, 3], nil),
    ] as [(String, [Int], String?)])
  func nearMiss(_ name: String, _ shape: [Int], _ hint: String?) {
    let list = checkpoint().reshaping("model.diffusion_model." + name, shape)
    let faults = ModelIdentity(list).check()
    #expect(faults.map(\.rule) == [.misshapenTensor])
    #expect(faults.first?.hint == hint)
    #expect(faults.first?.found == "\(shape)")
  }

  @Test("accepts the VAE's attention as matrices or convolutions in either naming")
  func attentionShapes() {
    let matrices = checkpoint().map { info in
      info.name.string.contains("attn_1") && info.shape.count == 4
        ? tensor(info.name.string, [512, 512]) : info
    }
    let convolutions = folder().map { info in
      info.name.hasPrefix("vae/") && info.name.string.contains("attentions.0.to_")
        && info.shape.count == 2 ? tensor(info.name.string, [512, 512, 1, 1]) : info
    }
    #expect(matrices != checkpoint() && convolutions != folder())
    #expect(ModelIdentity(matrices).check().isEmpty)
    #expect(ModelIdentity(convolutions).check().isEmpty)
  }

  @Test("says why a model is not the expected one")
  func expectation() throws {
    let inpainting = ModelIdentity(checkpoint(.sd15Inpainting))
    let fault = try #require(inpainting.check(expecting: .sd15).first)
    #expect(
      fault.sentence == "'\(convIn)' takes another number of channels: expected 4, found 9; "
        + "9 input channels: this is an inpainting model")
    #expect(inpainting.check(expecting: .sd15).count == 1)
    #expect(inpainting.check(expecting: .sd15Inpainting).isEmpty)
    #expect(inpainting.check(expecting: .sd1).isEmpty)
    let base = ModelIdentity(checkpoint()).check(expecting: .sd15InstructPix2Pix)
    #expect(base.first?.hint == "4 input channels: this is a standard model")
    let tiny = ModelIdentity(checkpoint(.tiny))
    #expect(tiny.check(expecting: .sd15).count == 12)
    #expect(Set(tiny.check(expecting: .sd15).map(\.rule)) == [.wrongArchitecture])
    #expect(tiny.check(expecting: .sd1).map(\.rule) == [.customWidths])
  }

  @Test("sees components that do not fit together")
  func fit() {
    let list =
      checkpoint(.sd15.with(.unetContext, 512), components: [.unet])
      + checkpoint(.sd15.with(.latent, 8), components: [.vae, .textEncoder])
    #expect(
      ModelIdentity(list).check().map(\.rule) == [
        .customWidths, .unfitComponents, .unfitComponents,
      ])
  }

  @Test("sees several precisions in one component, not between components")
  func precision() throws {
    let list = checkpoint().map { info in
      tensor(info.name.string, info.shape, info.name.hasPrefix("first_stage_model.") ? .f32 : .f16)
    }
    #expect(ModelIdentity(list).check().isEmpty)
    let mixed = list.map {
      $0.name == TensorName(convIn) ? tensor(convIn, $0.shape, .bf16) : $0
    }
    let fault = try #require(ModelIdentity(mixed).check().first)
    #expect(fault.rule == .mixedPrecision)
    #expect(fault.found == "F16 in 685 tensors, BF16 in 1, for example '\(convIn)'")
    let types = ModelIdentity(mixed)[.unet]?.types ?? []
    #expect(types.map(\.dtype) == [.f16, .bf16] && types.map(\.tensorCount) == [685, 1])
  }

  @Test("sees weights that are not numbers of the right sort")
  func types() {
    let list = checkpoint().map {
      $0.name == TensorName(convIn) ? tensor(convIn, $0.shape, .i64) : $0
    }
    #expect(ModelIdentity(list).check().map(\.rule) == [.unusableType])
  }

  @Test("notes old spellings, and takes them for what they are")
  func spellings() {
    let short = checkpoint().map { info in
      info.name.dropping(prefix: "cond_stage_model.transformer.text_model.").map {
        tensor("cond_stage_model.transformer." + $0.string, info.shape)
      } ?? info
    }
    let identity = ModelIdentity(short)
    #expect(identity.isComplete)
    #expect(identity.check().map(\.rule) == [.aliasSpelling])
    #expect(
      identity.check().first?.message
        == "spells 196 tensors of its text encoder in another way")
    let old = folder().map { info in
      var name = info.name.string
      guard name.hasPrefix("vae/") else { return info }
      for (new, old) in [
        ("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn"),
      ] {
        if let range = name.firstRange(of: "attentions.0." + new) {
          name.replaceSubrange(range, with: "attentions.0." + old)
        }
      }
      return tensor(name, info.shape)
    }
    #expect(
      ModelIdentity(old).check().map(\.message) == ["spells 16 tensors of its VAE in another way"])
  }

  @Test("knows the left-overs of training, and reports only what it does not know")
  func extras() {
    let list =
      checkpoint() + [
        tensor("first_stage_model.loss.discriminator.main.3.running_mean", [128]),
        tensor("embedding_manager.string_to_param_dict.*", [1, 768]),
        tensor("cond_stage_model.logit_scale", []), tensor("text_projection.weight", [768, 768]),
        tensor("safety_checker/visual_projection.weight", [768, 1024]),
        tensor("cond_stage_model.transformer.embeddings.position_ids", [1, 77], .i64),
        tensor("v_pred", [0]), tensor("é", [1]),
      ]
    let identity = ModelIdentity(list)
    #expect(
      identity.extras.map(\.extra.id) == [
        "position-ids", "projection", "vae-loss", "embedding-manager", "safety-checker",
        "prediction-markers",
      ])
    #expect(identity.runningStatistics.count == 1)
    #expect(identity.check().map(\.tensor?.string) == ["é"])
  }
}

@Suite("The rules about models") struct SchemaRuleTests {
  @Test("have identifiers of their own and explain themselves")
  func rules() {
    let ids = Rule.schemaRules.map(\.id)
    #expect(Set(ids).count == ids.count && ids == ids.sorted())
    for rule in Rule.schemaRules {
      #expect(rule.id.hasPrefix("SD") && rule.explanation.hasSuffix(".") && rule.title.count < 50)
    }
  }
}

@Suite("The nearest name") struct NearestTests {
  @Test("is found within a few edits")
  func nearby() {
    let names = ["inspect", "validate", "hash", "synth"]
    #expect(nearest(to: "insepct", in: names) == "inspect")
    #expect(nearest(to: "validat", in: names) == "validate")
    #expect(nearest(to: "hush", in: names) == "hash")
    #expect(nearest(to: "HASH", in: names) == "hash")
    #expect(nearest(to: "ahsh", in: ["aash", "hash"]) == "aash", "a swap is one edit")
    #expect(nearest(to: "wrap21", in: ["wrap08", "wrap12"]) == "wrap12")
    #expect(nearest(to: "merge", in: names) == nil)
    #expect(nearest(to: "hash", in: names) == "hash")
    #expect(nearest(to: "", in: names) == nil && nearest(to: "x", in: [String]()) == nil)
    #expect(nearest(to: String(repeating: "a", count: 10_000), in: names) == nil)
  }

  @Test("is the one with the smallest edit distance", arguments: 1...200)
  func distance(_ seed: UInt64) {
    var generator = SplitMix(state: seed)
    func word(_ length: Int) -> String {
      String((0..<length).map { _ in "abc".randomElement(using: &generator) ?? "a" })
    }
    let length = Int.random(in: 1...14, using: &generator)
    let name = word(length)
    let candidates = (0..<20).map { _ in
      word(max(0, length + Int.random(in: -3...3, using: &generator)))
    }
    let limit = min(4, max(1, length / 3))
    let best = candidates.map { Self.editDistance(Array(name.utf8), Array($0.utf8)) }.min() ?? 0
    let found = nearest(to: name, in: candidates)
    #expect((found == nil) == (best > limit))
    if let found {
      #expect(
        Self.editDistance(Array(name.utf8), Array(found.utf8)) == best, "\(name) \(candidates)")
    }
  }

  /// The textbook's distance, with swaps of neighbours.
  private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var older: [Int] = []
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var next = [i + 1]
      for (j, y) in b.enumerated() {
        var cost = min(row[j] + (x == y ? 0 : 1), row[j + 1] + 1, next[j] + 1)
        if i > 0, j > 0, x == b[j - 1], a[i - 1] == y { cost = min(cost, older[j - 1] + 1) }
        next.append(cost)
      }
      (older, row) = (row, next)
    }
    return row[b.count]
  }
}
