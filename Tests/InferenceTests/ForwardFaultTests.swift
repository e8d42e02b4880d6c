import Inference
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

/// What is said about models and inputs that cannot run.
@Suite struct ForwardFaultTests {
  private let runtime: Runtime

  init() throws { runtime = try Runtime(precision: .f32, threads: 1) }

  /// The words of the fault that `body` throws.
  private func fault(_ body: () throws(Fault) -> Void) -> String {
    do throws(Fault) {
      try body()
      return "no fault"
    } catch { return error.description }
  }

  @Test("a component that is not there is named") func component() {
    let model = SyntheticModel(dimensions: .tiny, seed: 1)
    let onlyVAE = Part(model) { $0.hasPrefix("first_stage_model.") }
    #expect(
      fault { () throws(Fault) in _ = try UNetModel(onlyVAE, runtime: runtime) }
        == "part: has no U-Net: found VAE; name a file that has it [FW002]")
  }

  @Test("another kind of model is named") func kind() {
    let lora = SyntheticModel(preset: .loraTiny, seed: 1)
    let words = fault { () throws(Fault) in _ = try UNetModel(lora, runtime: runtime) }
    #expect(words.contains("is no Stable Diffusion 1.x model") && words.hasSuffix("[FW005]"))
  }

  @Test("widths that no network has are refused") func widths() {
    let model = SyntheticModel(dimensions: .tiniest, seed: 1)
    for words in [
      fault { () throws(Fault) in _ = try UNetModel(model, runtime: runtime) },
      fault { () throws(Fault) in _ = try VAEModel(model, runtime: runtime) },
      fault { () throws(Fault) in _ = try TextModel(model, runtime: runtime) },
    ] {
      #expect(words.contains("has widths that no such network has") && words.hasSuffix("[FW005]"))
    }
  }

  @Test("a smoke test passes a whole model and names what is broken") func smoke() throws {
    #expect(try SmokeTest(tinyModel, runtime: runtime).faults.isEmpty)
    let name: TensorName = "model.diffusion_model.out.2.bias"
    let broken = Part(SyntheticModel(dimensions: .tiny, seed: 1, dtype: .f16), poisoned: name)
    let faults = try SmokeTest(broken, runtime: runtime).faults
    #expect(faults.map(\.rule) == [.nonFiniteActivation])
    #expect(faults.first?.tensor == "conv_out")
  }

  @Test("a missing weight is named") func weight() {
    let name: TensorName = "model.diffusion_model.out.2.bias"
    let model = Part(SyntheticModel(dimensions: .tiny, seed: 1)) { $0 != name }
    #expect(
      fault { () throws(Fault) in _ = try UNetModel(model, runtime: runtime) }
        == "part: '\(name)' is missing; 'sdtool validate' lists all [FW003]")
  }

  @Test("the first module that gives NaN is named") func notANumber() throws {
    let name: TensorName = "first_stage_model.decoder.mid.block_2.conv1.bias"
    let model = Part(SyntheticModel(dimensions: .tiny, seed: 1, dtype: .f16), poisoned: name)
    let vae = try VAEModel(model, runtime: runtime, parts: .decoder)
    #expect(
      fault { () throws(Fault) in _ = try vae.decode(FloatArray([1, 4, 2, 2])) }
        .contains("'decoder.mid_block.resnets.1.conv1' gives NaN or infinity"))
  }

  @Test("inputs of a wrong shape are named") func shapes() throws {
    let unet = try UNetModel(tinyModel, runtime: runtime)
    let context = FloatArray([1, 77, 24])
    #expect(
      fault { () throws(Fault) in
        _ = try unet(FloatArray([1, 3, 8, 8]), timesteps: [0], context: context)
      } == "synthetic sd15-tiny: the latent has the wrong shape: expected [any, 4, any, any], "
        + "found [1, 3, 8, 8] [FW006]"
        || fault { () throws(Fault) in
          _ = try unet(FloatArray([1, 3, 8, 8]), timesteps: [0], context: context)
        } == "the latent has the wrong shape: expected [any, 4, any, any], found [1, 3, 8, 8] "
          + "[FW006]"
    )
    #expect(
      fault { () throws(Fault) in
        _ = try unet(FloatArray([2, 4, 8, 8]), timesteps: [0, 1, 2], context: context)
      }.contains("expected 2 or 1, found 3"))
    let vae = try VAEModel(tinyModel, runtime: runtime, parts: .encoder)
    #expect(
      fault { () throws(Fault) in _ = try vae.encode(FloatArray([1, 3, 12, 8])) }
        .contains("multiples of 8: found 12 × 8"))
    let text = try TextModel(tinyModel, runtime: runtime)
    #expect(
      fault { () throws(Fault) in _ = try text([[50_000]]) }
        .contains("there is no such token: expected 0 to 49407, found 50000"))
  }

  @Test("what needs more memory than there is, is refused before it starts") func memory() throws {
    let vae = try VAEModel(
      SyntheticModel(preset: .sd15, seed: 1), runtime: runtime, parts: .decoder, isPlanned: true)
    let words = fault { () throws(Fault) in _ = try vae.decode(FloatArray([1, 4, 4096, 4096])) }
    #expect(words.contains("needs more memory than there is") && words.hasSuffix("[FW008]"))
  }
}

/// Some tensors of a model, one of them perhaps with NaN.
private struct Part: TensorSource {
  let base: SyntheticModel
  let tensors: [TensorInfo]
  private let indices: [Int]
  private let poisoned: TensorName?

  init(
    _ base: SyntheticModel, poisoned: TensorName? = nil,
    _ isKept: (TensorName) -> Bool = { _ in true }
  ) {
    self.base = base
    self.poisoned = poisoned
    indices = base.tensors.indices.filter { isKept(base.tensors[$0].name) }
    tensors = indices.map { base.tensors[$0] }
  }

  var path: String { "part" }
  var container: Container { .safetensors }
  var metadata: [MetadataEntry] { [] }
  var findings: [Fault] { [] }
  var files: [InputFile] { [] }

  func extent(of index: Int) -> FileExtent? { nil }

  func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    try base.read(indices[index], at: offset, into: &buffer)
    guard tensors[index].name == poisoned, offset == 0 else { return }
    buffer.storeBytes(of: 0x7E00, toByteOffset: 0, as: UInt16.self)
  }
}
