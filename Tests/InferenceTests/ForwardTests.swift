import Inference
import SafeTensors
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

/// Whole components against PyTorch, block by block.
@Suite struct ForwardTests {
  /// Runs a component on the inputs of a fixture, with a trace of all modules in it.
  private func run(
    _ name: String, _ precision: Precision, threads: Int = 2, portable: Bool = false
  ) throws -> [(path: String, value: FloatArray)] {
    let golden = try Golden(name)
    let runtime = try Runtime(precision: precision, threads: threads, portable: portable)
    var observation = Observation()
    let inputs: Set = ["latent", "timestep", "context", "image", "tokens"]
    observation.trace = golden.names.filter { !inputs.contains($0) }
      .map { Glob("?" + $0.dropFirst()) }
    var outputs: [(String, FloatArray)] = []
    switch name {
    case "unet", "unet-odd":
      let unet = try UNetModel(tinyModel, runtime: runtime)
      let noise = try unet(
        golden["latent"], timesteps: golden["timestep"].values, context: golden["context"],
        observing: &observation)
      outputs = [("noise", noise)]
    case "vae-decode":
      let vae = try VAEModel(tinyModel, runtime: runtime, parts: .decoder)
      outputs = [("image", try vae.decode(golden["latent"], observing: &observation))]
    case "vae-encode":
      let vae = try VAEModel(tinyModel, runtime: runtime, parts: .encoder)
      let (mean, logVariance) = try vae.encode(golden["image"], observing: &observation)
      outputs = [("mean", mean), ("log_variance", logVariance)]
    default:
      let text = try TextModel(tinyModel, runtime: runtime)
      let ids = try golden["tokens"].values.map { Int($0) }
      let tokens = [Array(ids[..<77]), Array(ids[77...])]
      let skip = name == "text-skip" ? 2 : 1
      outputs = [("context", try text(tokens, clipSkip: skip, observing: &observation))]
    }
    return outputs + observation.activations.map { ($0.path, $0.value) }
  }

  static let fixtures = ["unet", "unet-odd", "vae-decode", "vae-encode", "text", "text-skip"]

  @Test(
    "every component and every block is what PyTorch computes",
    arguments: fixtures, [Precision.reference, .f32])
  func matchesPyTorch(name: String, precision: Precision) throws {
    let golden = try Golden(name)
    let found = try run(name, precision)
    var compared = 0
    for (path, value) in found where golden.names.contains(path) {
      expectClose(value, try golden[path], 1e-4, path)
      compared += 1
    }
    let inputs = ["unet": 3, "unet-odd": 3, "text": 1, "text-skip": 1]
    #expect(compared == golden.names.count - inputs[name, default: 1])
  }

  @Test("bfloat16 is about as far off as its precision", arguments: fixtures)
  func brainFloat(name: String) throws {
    guard Runtime.supports(.bf16) else { return }
    let golden = try Golden(name)
    let (path, value) = try #require(try run(name, .bf16).first)
    let difference = Difference(of: value, from: try golden[path])
    #expect(difference.relative < 0.05)
    #expect(difference.relative > 1e-4, "this cannot have been computed in bfloat16")
  }

  @Test(
    "single precision gives the same bits for any number of threads",
    arguments: fixtures, [Precision.reference, .f32])
  func threads(name: String, precision: Precision) throws {
    let one = try run(name, precision, threads: 1)
    let three = try run(name, precision, threads: 3)
    #expect(one.map(\.value) == three.map(\.value))
  }

  @Test("reference gives the same bits on any processor", arguments: ["unet-odd", "text"])
  func processors(name: String) throws {
    let best = try run(name, .reference)
    let portable = try run(name, .reference, portable: true)
    #expect(best.map(\.value) == portable.map(\.value))
  }

  @Test("loops for any processor give what PyTorch computes", arguments: ["unet", "vae-encode"])
  func portable(name: String) throws {
    let golden = try Golden(name)
    for (path, value) in try run(name, .f32, portable: true) where golden.names.contains(path) {
      expectClose(value, try golden[path], 1e-4, path)
    }
  }

  @Test(
    "weights that were arranged for another size are arranged back",
    arguments: [Precision.f32, .bf16])
  func sizes(precision: Precision) throws {
    guard Runtime.supports(precision) else { return }
    let unet = try UNetModel(tinyModel, runtime: Runtime(precision: precision))
    let context = FloatArray.random([1, 77, 24], seed: 7)
    let small = FloatArray.random([1, 4, 16, 8], seed: 8)
    let large = FloatArray.random([1, 4, 64, 72], seed: 9)
    let first = try unet(small, timesteps: [3], context: context)
    let wide = try unet(large, timesteps: [3], context: context)
    #expect(try unet(small, timesteps: [3], context: context) == first)
    // The same as if only that size had ever been seen.
    let other = try UNetModel(tinyModel, runtime: Runtime(precision: precision))
    #expect(try other(large, timesteps: [3], context: context) == wide)
  }

  @Test("Winograd's convolutions change a large image by rounding only")
  func winograd() throws {
    let latent = FloatArray.random([1, 4, 24, 40], seed: 5)
    let reference = try VAEModel(
      tinyModel, runtime: Runtime(precision: .reference), parts: .decoder)
    let fast = try VAEModel(tinyModel, runtime: Runtime(precision: .f32), parts: .decoder)
    let expected = try reference.decode(latent), found = try fast.decode(latent)
    #expect(expected != found, "nothing fast was used")
    expectClose(found, expected)
  }

  @Test("one time step and one context serve all latents")
  func broadcast() throws {
    let unet = try UNetModel(tinyModel, runtime: Runtime(precision: .reference))
    let latent = FloatArray.random([1, 4, 8, 8], seed: 6)
    let context = FloatArray.random([1, 77, 24], seed: 7)
    let one = try unet(latent, timesteps: [3], context: context)
    let twice = FloatArray([2, 4, 8, 8], latent.values + latent.values)
    let two = try unet(twice, timesteps: [3], context: context)
    #expect(two.values == one.values + one.values)
  }

  @Test("a learned vector stands for a token")
  func learnedVector() throws {
    let text = try TextModel(tinyModel, runtime: Runtime(precision: .reference))
    let vocabulary = text.dimensions[.vocabulary]
    let vector = (0..<24).map { Float($0) / 24 }
    let plain = try text([[49406, 1, 2, 49407]])
    let learned = try text([[49406, 1, vocabulary, 49407]], vectors: [vector])
    #expect(plain.shape == [1, 4, 24])
    // A token sees only what stands before it.
    #expect(plain.values[..<48] == learned.values[..<48])
    #expect(plain.values[48...] != learned.values[48...])
  }

  @Test("a plan lists every module without computing")
  func plan() throws {
    let runtime = try Runtime(precision: .f32, threads: 1)
    let unet = try UNetModel(
      SyntheticModel(preset: .sd15, seed: 0), runtime: runtime, isPlanned: true)
    var observation = Observation()
    observation.isPlanned = true
    let noise = try unet(
      FloatArray([2, 4, 64, 64]), timesteps: [0], context: FloatArray([2, 77, 768]),
      observing: &observation)
    #expect(noise.shape == [2, 4, 64, 64])
    #expect(unet.weightByteCount == 0)
    // 1.607 TFLOP are known for a step of two images of 512×512.
    #expect(abs(observation.profile.operations / 1.607e12 - 1) < 0.01)
    let first = try #require(observation.modules.first { $0.path.ldm == "input_blocks.0.0" })
    #expect(first.inputs == [[2, 4, 64, 64]] && first.output == [2, 320, 64, 64])
  }
}
