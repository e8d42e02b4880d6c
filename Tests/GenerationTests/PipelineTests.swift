import Generation
import Inference
import Pictures
import Prompts
import SafeTensors
import Sampling
import Synthesis
import Tensors
import TestSupport
import Testing

/// Latents of a tiny model against the pipelines of diffusers; see fixtures/generation/make.py.
@Suite("Pictures of a tiny model")
struct PipelineTests {
  private let golden: SafeTensorsFile
  private let runtime: Runtime

  init() throws {
    golden = try SafeTensorsFile(
      InputFile(path: Fixtures.path("generation/pictures.safetensors")))
    runtime = try Runtime(precision: .reference, threads: 2)
  }

  private func generator(_ preset: SynthesisPreset = .sd15Tiny) throws -> ImageGenerator {
    ImageGenerator(
      SyntheticModel(preset: preset, seed: 1, dtype: .f16), runtime: runtime)
  }

  private func request() throws -> ImageRequest {
    var request = ImageRequest(prompt: "a red ball, on grass")
    request.negativePrompt = "blurry"
    request.seed = 42
    request.steps = 10
    request.width = 128
    request.height = 96
    return request
  }

  private func withImage(_ request: ImageRequest) throws -> ImageRequest {
    var request = request
    request.image = try Picture(path: Fixtures.path("generation/image.png"))
    request.mask = try Picture(path: Fixtures.path("generation/mask.png"), over: .black)
    return request
  }

  /// The greatest difference, in standard deviations of what is expected.
  private func error(_ values: [Float], _ name: String) throws -> Double {
    let index = try #require(golden.indexByName()[TensorName(name)])
    let bytes = try golden.bytes(of: index)
    let expected = stride(from: 0, to: bytes.count, by: 4).map { place in
      Float(
        bitPattern: (0..<4).reduce(0 as UInt32) { $0 | UInt32(bytes[place + $1]) << (8 * $1) })
    }
    try #require(values.count == expected.count)
    let mean = expected.reduce(0.0) { $0 + Double($1) } / Double(expected.count)
    let squares = expected.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    let deviation = (squares / Double(expected.count)).squareRoot()
    return zip(values, expected).map { abs(Double($0) - Double($1)) }.max().map { $0 / deviation }
      ?? .infinity
  }

  @Test(
    "the latents after ten steps are those of diffusers",
    arguments: ["ddim", "euler", "euler-a", "dpmpp-2m", "unipc"])
  func samplers(_ name: String) throws {
    var request = try self.request()
    request.sampler = try Samplers.named(name)
    if name == "dpmpp-2m" { request.sigmas = .karras }
    let latents = try generator().latents(for: [request])[0]
    #expect(try error(latents, "txt2img." + name) <= 1e-3)
  }

  @Test("clip skip, image to image and masks follow diffusers")
  func others() throws {
    var skipping = try request()
    skipping.sampler = Euler.self
    skipping.clipSkip = 2
    var changing = try withImage(request())
    changing.mask = nil
    changing.sampler = Euler.self
    changing.strength = 0.6
    var masked = try withImage(request())
    masked.sampler = DDIM.self
    masked.strength = 0.6
    let latents = try generator().latents(for: [skipping, changing, masked])
    #expect(try error(latents[0], "skip") <= 1e-3)
    #expect(try error(latents[1], "img2img") <= 1e-3)
    #expect(try error(latents[2], "mask") <= 1e-3)
  }

  @Test("a model for inpainting sees the mask")
  func inpainting() throws {
    var request = try withImage(self.request())
    request.sampler = DDIM.self
    request.strength = 1
    let latents = try generator(.sd15TinyInpainting).latents(for: [request])[0]
    #expect(try error(latents, "inpaint") <= 1e-3)
  }

  @Test("the picture is decoded as in diffusers, and each seed of several is a picture alone")
  func pictures() throws {
    var one = try request()
    one.sampler = DDIM.self
    var several = one
    several.seed = 41
    several.count = 2
    let made = try generator().pictures(for: [one, several])
    #expect(made[0][0] == made[1][1])
    let shown = made[0][0].planes
    let index = try #require(golden.indexByName()["picture"])
    #expect(golden.tensors[index].elementCount == shown.count)
    // Bytes have steps of 1/127.5, and what is outside of -1...1 is cut.
    let bytes = try golden.bytes(of: index)
    for place in shown.indices {
      let bits = (0..<4).reduce(0 as UInt32) { $0 | UInt32(bytes[4 * place + $1]) << (8 * $1) }
      let wanted = min(1, max(-1, Float(bitPattern: bits)))
      #expect(abs(shown[place] - wanted) <= 1 / 127)
    }
  }
}
