import Checkpoint
import Inspection
import JSON
import Layouts
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

@Suite("Round trips")
struct RoundTripTests {
  private let folder = TemporaryFolder()

  @Test(
    "Every layout gives back every byte, name, type and shape of a single file",
    arguments: OutputLayout.allCases, [DType.f16, .f32])
  func backAndForth(layout: OutputLayout, dtype: DType) throws {
    let model = SyntheticModel(dimensions: .tiny, seed: 3, dtype: dtype)
    let (start, middle, end) = (
      folder.path("a.safetensors"), folder.path("b"), folder.path("c.safetensors")
    )
    try ModelWriter(layout: .safetensors).write(model, to: start, metadata: model.metadata)
    try ConversionPlan(of: openModel(path: start), ConversionRequest(layout: layout))
      .write(to: middle, width: 2)
    let plan = try ConversionPlan(
      of: openModel(path: middle), ConversionRequest(layout: .safetensors))
    try plan.write(to: end, width: 2)
    #expect(plan.dropped.isEmpty)
    let original = try content(of: openModel(path: start))
    #expect(original.count == 1131)
    #expect(original.keys.contains(KnownExtra.positionIDsName))
    #expect(try content(of: openModel(path: end)) == original)
    let isSame = contents(of: start) == contents(of: end)
    #expect(isSame, "also the header")
  }

  @Test("The number of threads changes no byte", arguments: [OutputLayout.safetensors, .ckpt])
  func threads(layout: OutputLayout) throws {
    let model = SyntheticModel(dimensions: .tiny, seed: 3, dtype: .f32)
    var request = ConversionRequest(layout: layout)
    request.types = TypeChoice(.bf16)
    let plan = ConversionPlan(of: model, request)
    try plan.write(to: folder.path("one"), width: 1)
    try plan.write(to: folder.path("eight"), width: 8)
    let isSame = contents(of: folder.path("one")) == contents(of: folder.path("eight"))
    #expect(isSame)
    #expect(try openModel(path: folder.path("one")).tensors.count == 1131)
  }

  @Test("A component by itself keeps its bare names on the way", arguments: Component.allCases)
  func component(_ component: Component) throws {
    let model = SyntheticModel(dimensions: .tiny, seed: 4, dtype: .f16)
    var request = ConversionRequest(layout: .safetensors)
    request.only = component
    let alone = folder.path("alone.safetensors")
    try ConversionPlan(of: model, request).write(to: alone, width: 2)
    let original = try content(of: openModel(path: alone))
    let count = Schema.sd15.range(of: component).count + (component == .textEncoder ? 1 : 0)
    #expect(original.count == count)
    #expect(!original.keys.contains { $0.hasPrefix(component.ldmPrefix) })
    for layout in OutputLayout.allCases {
      let middle = folder.path("\(layout)"), end = folder.path("\(layout).safetensors")
      try ConversionPlan(of: openModel(path: alone), ConversionRequest(layout: layout))
        .write(to: middle, width: 2)
      try ConversionPlan(of: openModel(path: middle), ConversionRequest(layout: .safetensors))
        .write(to: end, width: 2)
      #expect(try content(of: openModel(path: end)) == original, "by way of \(layout)")
    }
    let texts = try JSONValue(parsing: contents(of: folder.path("diffusers/config.json")))
    #expect(texts.object != nil, "the component's own folder, without one around it")
  }

  @Test("Any other model goes from safetensors to PyTorch and back")
  func otherKind() throws {
    let model = SyntheticModel(preset: .loraTiny, seed: 5)
    let (start, middle, end) = (
      folder.path("a.safetensors"), folder.path("b.pt"), folder.path("c.safetensors")
    )
    try ModelWriter(layout: .safetensors).write(model, to: start, metadata: model.metadata)
    try ConversionPlan(of: openModel(path: start), ConversionRequest(layout: .ckpt))
      .write(to: middle, width: 2)
    try ConversionPlan(of: openModel(path: middle), ConversionRequest(layout: .safetensors))
      .write(to: end, width: 2)
    #expect(try content(of: openModel(path: end)) == content(of: openModel(path: start)))
    let added = Set(try openModel(path: end).metadata).subtracting(model.metadata)
    #expect(added == [MetadataEntry(key: "format", value: "pt")])
  }

  @Test("In a diffusers folder the VAE's attention has matrices")
  func shapes() throws {
    let model = SyntheticModel(dimensions: .tiny, seed: 3, dtype: .f16)
    let plan = ConversionPlan(of: model, ConversionRequest(layout: .diffusers))
    let reshaped = plan.tensors.filter(\.isReshaped)
    #expect(reshaped.count == 8)
    #expect(reshaped.allSatisfy { $0.original.shape.count == 4 && $0.info.shape.count == 2 })
    #expect(
      reshaped.contains { $0.info.name == "vae/decoder.mid_block.attentions.0.to_out.0.weight" })
  }

  @Test("Scheduler and tokenizer of a folder are copied to another folder")
  func pipelineFiles() throws {
    let first = folder.path("first"), second = folder.path("second")
    try ModelWriter(layout: .diffusers).write(try EditedModel(), to: first)
    let scheduler = Array(#"{"prediction_type": "v_prediction"}"#.utf8)
    _ = folder.write(scheduler, to: "first/scheduler/scheduler_config.json")
    _ = folder.write([1], to: "first/tokenizer/added_tokens.json")
    let plan = ConversionPlan(
      of: try openModel(path: first), ConversionRequest(layout: .diffusers))
    try plan.write(to: second, width: 1)
    #expect(contents(of: second + "/scheduler/scheduler_config.json") == scheduler)
    #expect(contents(of: second + "/tokenizer/added_tokens.json") == [1])
    #expect(plan.copiedFiles.contains("tokenizer/merges.txt"))
  }

  @Test("Texts survive every layout")
  func metadata() throws {
    var model = try EditedModel()
    model.metadata += [
      MetadataEntry(key: "sd_merge_recipe", value: #"{"type": "webui"}"#),
      MetadataEntry(key: "unicode", value: "é ∀ 😀"),
    ]
    for layout in OutputLayout.allCases {
      let path = folder.path("\(layout)"), end = folder.path("\(layout).safetensors")
      try ConversionPlan(of: model, ConversionRequest(layout: layout)).write(to: path, width: 1)
      try ConversionPlan(of: openModel(path: path), ConversionRequest(layout: .safetensors))
        .write(to: end, width: 1)
      #expect(Set(try openModel(path: end).metadata) == Set(model.metadata), "by way of \(layout)")
    }
  }
}
