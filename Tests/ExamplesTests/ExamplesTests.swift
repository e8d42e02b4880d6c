import Checkpoint
import Comparison
import Drawing
import Generation
import Inference
import Inspection
import JSON
import Layouts
import LinearAlgebra
import LoRA
import LoRAEdit
import Merge
import Pictures
import Prompts
import Reporting
import SafeTensors
import Sampling
import StableDiffusion
import StrictJSON
import Synthesis
import Tensors
import TestSupport
import Testing
import Vocabulary

/// The examples of the documentation, as another package would write them.
@Suite struct ExamplesTests {
  private let folder = TemporaryFolder()
  private let model = SyntheticModel(preset: .sd15Tiny, seed: 1, dtype: .f16)

  @Test("Tensors: any source can be examined") func sources() {
    func valueCounts(of source: some TensorSource) -> [DType: Int] {
      source.tensors.reduce(into: [:]) { counts, tensor in
        counts[tensor.dtype, default: 0] += tensor.elementCount
      }
    }
    #expect(valueCounts(of: model).keys.contains(.f16))
  }

  @Test("Tensors: what is wrong is a fault") func faults() {
    var message = ""
    do throws(Fault) {
      _ = try InputFile(path: "no such file")
    } catch {
      message = error.description
    }
    #expect(message == "no such file: cannot open: No such file or directory [IO001]")
  }

  @Test("Drawing: the network is drawn, plain and coloured") func drawing() throws {
    let network = Scene.network(.sd15, resolution: try Resolution("512x768"))
    let svg = network.svg(theme: .dark)
    #expect(svg.contains("4×96×64") || svg.contains("4×64×96"))

    let halves = Coloring.weights("a half", schema: .sd15) { _ in 0.5 }
    let colored = Scene.network(.sd15, coloring: halves).svg(theme: .light)
    #expect(colored.contains("0.50"))
  }

  @Test("Reporting: a page about a model") func report() throws {
    let path = folder.path("report.safetensors")
    try ModelWriter(layout: .safetensors).write(model, to: path)
    var options = ReportOptions()
    options.threads = 2
    let report = try Report(paths: [path], options: options)
    let page = try report.rendered(as: .html)
    #expect(page.contains("Stable Diffusion"))
  }

  @Test("StrictJSON: members are read one by one") func scanner() throws {
    var scanner = try JSONScanner(Array(#"{"a": 1, "b": 2}"#.utf8))
    var members: [String: UInt64?] = [:]
    try scanner.readObject { key, scanner throws(JSONSyntaxError) in
      members[key] = try scanner.readUnsignedInteger()
    }
    try scanner.finish()
    #expect(members == ["a": 1, "b": 2])
  }

  @Test("JSON: values are parsed and written") func values() throws {
    let index = try JSONValue(parsing: #"{"weight_map": {"a": "model-1.safetensors"}}"#)
    let file = index["weight_map"]?["a"]?.string  // "model-1.safetensors"
    #expect(file == "model-1.safetensors")

    let report: JSONValue = ["name": "model", "bytes": 12]
    let text = try report.serialized()  // {"name":"model","bytes":12}
    #expect(text == #"{"name":"model","bytes":12}"#)
  }

  @Test("SafeTensors: a file is written and read back") func safeTensors() throws {
    let path = folder.path("bias.safetensors")
    let info = try TensorInfo(name: "bias", dtype: .u8, shape: [4])
    let writer = try SafeTensorsWriter(path: path, tensors: [info], metadata: nil)
    let bias: [UInt8] = [1, 2, 3, 4]
    try writer.write(0, at: 0, bytes: bias.span.bytes)
    try writer.commit()

    let file = try SafeTensorsFile(path: path)
    let values = try file.bytes(of: 0)  // [1, 2, 3, 4]
    #expect(values == [1, 2, 3, 4])
  }

  @Test("Layouts, Checkpoint, Inspection: a model is written, opened and checked")
  func checkpoint() throws {
    let path = folder.path("tiny.ckpt")
    try ModelWriter(layout: .ckpt).write(model, to: path)
    try open(path)
    try inspect(path)
    validateModel(path)
  }

  private func open(_ path: String) throws {
    let model = try openModel(path: path)
    let title = model.container.title  // PyTorch checkpoint (zip)
    let largest = model.tensors.max { $0.byteCount < $1.byteCount }
    #expect(title == "PyTorch checkpoint (zip)")
    #expect(largest?.byteCount ?? 0 > 0)
    for tensor in model.tensors.prefix(3) {
      print(tensor.name, tensor.dtype, tensor.shape)
    }
  }

  private func inspect(_ path: String) throws {
    let model = try InspectedModel(path: path)
    let title = model.title  // Stable Diffusion 1.x model, PyTorch checkpoint (zip)
    #expect(title == "Stable Diffusion 1.x model with other widths, PyTorch checkpoint (zip)")
  }

  private func validateModel(_ path: String) {
    var options = ValidationOptions()
    options.expected = .sd1
    let report = validate([path], options: options, version: "1", threads: 2)
    let junit = report.junit(failOn: .warning)
    #expect(report.exitCode(failOn: .error) == 0)
    #expect(junit.contains(#"failures="0""#))
  }

  @Test("StableDiffusion: a list of tensors is identified") func identity() {
    let source = SyntheticModel(preset: .sd15, seed: 1, dtype: .f16)
    let identity = ModelIdentity(source.tensors)
    let title = identity.title  // Stable Diffusion 1.x model
    let unet = identity[.unet]?.elementCount
    let problems = identity.check(expecting: .sd15)
    #expect(title == "Stable Diffusion 1.x model")
    #expect(unet == 859_520_964)
    #expect(problems.isEmpty)
  }

  @Test("Vocabulary: tokens have numbers") func vocabulary() {
    let vocabulary = CLIPVocabulary()
    let token = vocabulary.tokens[320]  // a</w>
    #expect(token == "a</w>")
  }

  @Test("Synthesis: values are computed as they are read") func synthesis() throws {
    let model = SyntheticModel(preset: .sd15Tiny, seed: 1, dtype: .f16)
    let first = try model.bytes(of: 0)
    #expect(first.count == model.tensors[0].byteCount)
  }

  @Test("Merge: methods are known by name") func methods() throws {
    let method = try MergeMethods.named("weighted-sum")
    let inputs = method.inputs.names  // A, B
    #expect(inputs == ["A", "B"])
  }

  @Test("Inference: a component runs") func forward() throws {
    let runtime = try Runtime(precision: .reference, threads: 2)
    let vae = try VAEModel(model, runtime: runtime, parts: .decoder)
    let image = try vae.decode(FloatArray([1, 4, 2, 3]))
    let size = image.shape  // 1, 3, 16, 24
    #expect(size == [1, 3, 16, 24])
  }

  @Test("LinearAlgebra: a matrix is factored") func factorization() throws {
    let algebra = try LinearAlgebra.load()
    let svd = try algebra.singularValues(of: Matrix<Float>(rows: 64, columns: 32))
    #expect(svd.s.count == 32)
  }

  @Test("LoRAEdit: LoRAs are added") func sum() throws {
    let first = try LoRAFile(path: Fixtures.path("lora/lora.safetensors"))
    let second = try LoRAFile(path: Fixtures.path("lora/loha.safetensors"))
    let path = folder.path("both.safetensors")
    let sum = try LoRASum([.init(first, 0.7), .init(second, -0.4)])
    let result = try sum.made(.rank(32, kernels: nil), dtype: .f16, width: 2)
    try result.output.write(to: path)
    #expect(try LoRAFile(path: path).modules.count == result.modules.count)
  }

  @Test("Comparison: models differ, and a model explains itself") func differences() throws {
    let (a, b, result) = (model, SyntheticModel(preset: .sd15Tiny, seed: 2, dtype: .f16), model)
    let difference = try ModelDifference.compare(a, b, width: 2)
    let distance = difference.places[.in04]?.measures.relativeL2
    let names = difference.mostChanged(10).map(\.name)
    #expect((distance ?? 0) > 1 && names.count == 10)

    let explanation = try MergeExplanation.explain(result, from: [a, b], width: 2)
    let recipe = explanation.recipe(paths: ["a.safetensors", "b.safetensors"]).yaml
    #expect(recipe.contains("alpha: 0\n"))
  }

  @Test("LoRA: merged weights are computed as they are read") func lora() throws {
    let model = SyntheticModel(preset: .sd15Tiny, seed: 1, dtype: .f16)
    let style = SyntheticModel(preset: .loraTiny, seed: 2, dtype: .f16)
    let lora = try LoRAFile(style)
    let request = LoRAMergeRequest([LoRAUse(lora, LoRAStrength(0.8))])
    let plan = try LoRAMergePlan(model, request, width: 2)
    let merged = LoRAMergedSource(plan)
    #expect(plan.problems.isEmpty)
    #expect(plan.changedCount == lora.modules.count)
    #expect(merged.tensors.count == model.tensors.count)
  }

  @Test("Sampling: a sampler asks any function") func sampling() throws {
    let trajectory = Trajectory(steps: 20, for: DPMSolver2M.self, sigmas: .karras)
    var generator = NoiseGenerator(.torch, seed: 42)
    let noise = generator.normals(4 * 64 * 64)
    let run = SamplingRun(along: trajectory, noise: { noise }) { latents, _ in latents }
    let start = run.start(noise: noise, for: DPMSolver2M.self)
    let latents = try run.sample(with: DPMSolver2M.self, from: start)
    #expect(latents.values.count == 16_384)
  }

  @Test("Prompts: words have weights") func prompts() throws {
    let encoder = PromptEncoder()
    let tokens = try encoder.tokens(of: "a (red:1.3) ball")
    let weights = tokens.chunks[0].weights  // 1, 1, 1.3, 1, …
    #expect(weights.prefix(4) == [1, 1, 1.3, 1])
  }

  @Test("Pictures: labels are drawn") func pictures() {
    var picture = Picture(width: 64, height: 64)
    BitmapText("seed 1").draw(in: &picture, atX: 4, y: 4)
    let bytes = picture.pixels.count  // 12288
    #expect(bytes == 12_288 && picture.pixels.contains(0))
  }

  @Test("Generation: what is asked for is checked first") func generation() throws {
    var request = ImageRequest(prompt: "a lighthouse at dusk")
    request.seed = 42
    try request.check()
    let evaluations = request.evaluations  // 20
    #expect(evaluations == 20)
  }
}
