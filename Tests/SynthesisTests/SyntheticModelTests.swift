import SafeTensors
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

@Suite("SyntheticModel") struct SyntheticModelTests {
  @Test("the model has every name and shape of the published checkpoint, and positions")
  func names() throws {
    let text = String(decoding: contents(of: Fixtures.path("sd15_keymap.tsv")), as: UTF8.self)
    let rows = text.split(separator: "\n").map { $0.split(separator: "\t") }
    var expected: [TensorName: [Int]] = [
      "cond_stage_model.transformer.text_model.embeddings.position_ids": [1, 77]
    ]
    for row in rows where row[0].contains(".") {
      let shape = row[3].split { !$0.isNumber }.compactMap { Int($0) }
      expected[TensorName(String(row[0]))] = shape
    }
    let model = SyntheticModel(preset: .sd15, seed: 0)
    #expect(model.tensors.count == 1131 && expected.count == 1131)
    for tensor in model.tensors { #expect(expected[tensor.name] == tensor.shape, "\(tensor.name)") }
  }

  @Test("every preset is recognised for what it is", arguments: SynthesisPreset.allCases)
  func identity(preset: SynthesisPreset) {
    let model = SyntheticModel(preset: preset, seed: 1, dtype: .bf16)
    let identity = ModelIdentity(model.tensors)
    let isLoRA = [.lora, .lora32, .loraTiny].contains(preset)
    #expect((identity.kind == .stableDiffusion1) == !isLoRA, "\(identity.title)")
    #expect(Set(model.tensors.map(\.name)).count == model.tensors.count)
  }

  @Test("a LoRA has three tensors for each of 192 + 72 modules")
  func lora() throws {
    let model = SyntheticModel(loraOf: .sd15, rank: 16, alpha: 8, seed: 0)
    let shapes = Dictionary(uniqueKeysWithValues: model.tensors.map { ($0.name, $0.shape) })
    #expect(shapes.count == 3 * (192 + 72))
    #expect(model.tensors.count { $0.name.hasPrefix("lora_te_text_model_encoder_") } == 3 * 72)
    let attention = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    #expect(shapes[TensorName(attention + ".lora_down.weight")] == [16, 768])
    #expect(shapes[TensorName(attention + ".lora_up.weight")] == [320, 16])
    #expect(shapes[TensorName(attention + ".alpha")] == [])
    let conv = "lora_unet_mid_block_attentions_0_proj_in"
    #expect(shapes[TensorName(conv + ".lora_down.weight")] == [16, 1280, 1, 1])
    #expect(shapes[TensorName(conv + ".lora_up.weight")] == [1280, 16, 1, 1])
    let alpha = try #require(model.tensors.firstIndex { $0.name.hasSuffix(".alpha") })
    #expect(try model.bytes(of: alpha) == [0, 0, 0, 0x41])
  }

  @Test("bytes do not depend on where reading begins and ends", arguments: [DType.f16, .f32])
  func windows(dtype: DType) throws {
    let model = SyntheticModel(preset: .sd15Tiny, seed: 3, dtype: dtype)
    let index = try #require(model.tensors.firstIndex { $0.byteCount > 5000 })
    let whole = try model.bytes(of: index)
    for (offset, count) in [(0, 5000), (1, 1), (1, 4999), (3, 0), (2, 3), (4090, 11), (5, 2)] {
      var part = [UInt8](repeating: 0, count: count)
      var span = part.mutableSpan
      var raw = unsafe span.mutableBytes
      try model.read(index, at: offset, into: &raw)
      #expect(part == Array(whole[offset..<offset + count]))
    }
  }

  @Test("weights are finite, scaled by their number of inputs, and differ between seeds")
  func values() throws {
    let model = SyntheticModel(preset: .sd15Tiny, seed: 1, dtype: .f32)
    let other = SyntheticModel(preset: .sd15Tiny, seed: 2, dtype: .f32)
    let positions = model.indexByName()
    let statistics = try model.statistics(width: 2)
    #expect(statistics.allSatisfy { $0.finiteCount == $0.count && !$0.isConstant })
    let name: TensorName = "model.diffusion_model.input_blocks.1.1.proj_in.weight"
    let index = try #require(positions[name])
    let deviation = try #require(statistics[index].standardDeviation)
    let inputs = Double(model.tensors[index].shape[1])
    #expect(abs(deviation * inputs.squareRoot() - 1) < 0.1)
    #expect(try model.bytes(of: index) != other.bytes(of: index))
    let norm = try #require(positions["first_stage_model.encoder.norm_out.weight"])
    #expect(abs(try #require(statistics[norm].mean) - 1) < 0.05)
    let ids = try #require(model.tensors.firstIndex { $0.dtype == .i64 })
    #expect(statistics[ids].maximum == 76 && statistics[ids].mean == 38)
  }

  @Test("the noise schedule has the values of the published checkpoint")
  func schedule() throws {
    let model = SyntheticModel(preset: .sd15Full, seed: 1)
    let positions = model.indexByName()
    func ends(_ name: TensorName) throws -> (Float, Float) {
      let bytes = try model.bytes(of: try #require(positions[name]))
      #expect(bytes.count == 4000)
      return unsafe bytes.withUnsafeBytes {
        unsafe (
          $0.loadUnaligned(as: Float.self), $0.loadUnaligned(fromByteOffset: 3996, as: Float.self)
        )
      }
    }
    let betas = try ends("betas")
    #expect(abs(betas.0 - 0.00085) < 1e-9 && abs(betas.1 - 0.012) < 1e-8)
    let products = try ends("alphas_cumprod")
    #expect(abs(products.0 - 0.99915) < 1e-6 && abs(products.1 - 0.004_660_098_5) < 1e-8)
    #expect(try ends("alphas_cumprod_prev").0 == 1)
    #expect(try ends("posterior_variance").0 == 0)
    #expect(model.tensors.count == 1131 + 686 + 2 + 12)
  }

  @Test("written by any number of threads, the file is the same")
  func threads() throws {
    let folder = TemporaryFolder()
    let model = SyntheticModel(preset: .sd15Tiny, seed: 5)
    for width in [1, 2, 5] {
      try SafeTensorsFile.write(
        model, to: folder.path("\(width)"), metadata: model.metadata, width: width)
    }
    let sink = try SafeTensorsWriter(
      path: folder.path("copied"), tensors: model.tensors, metadata: model.metadata)
    try copy(model, to: sink, width: 2)
    let first = contents(of: folder.path("1"))
    #expect(first.count > 1 << 20)
    for name in ["2", "5", "copied"] { #expect(contents(of: folder.path(name)) == first) }
  }
}
