import Generation
import Inference
import Pictures
import Sampling
import Synthesis
import Tensors
import TestSupport
import Testing

@Suite("What can be asked for")
struct RequestTests {
  private func rule(_ change: (inout ImageRequest) -> Void) -> Rule? {
    var request = ImageRequest(prompt: "x")
    change(&request)
    do throws(Fault) {
      try request.check()
      return nil
    } catch { return error.rule }
  }

  @Test("what cannot work is refused before anything is loaded")
  func refused() {
    #expect(rule { _ in } == nil)
    #expect(rule { $0.width = 500 } == .imageSize)
    #expect(rule { $0.height = 0 } == .imageSize)
    #expect(rule { $0.height = -8 } == .imageSize)
    #expect(rule { ($0.width, $0.height) = (1 << 40, 1 << 40) } == .imageSize)
    #expect(rule { $0.steps = 0 } == .generationSetting)
    #expect(rule { $0.steps = 1001 } == .generationSetting)
    #expect(rule { $0.count = 0 } == .generationSetting)
    #expect(rule { $0.clipSkip = 13 } == .generationSetting)
    #expect(rule { $0.guidance.scale = .nan } == .generationSetting)
    let small = Picture(width: 64, height: 64)
    #expect(rule { $0.image = small } == .imageMismatch)
    #expect(rule { $0.mask = small } == .generationSetting)
    let fitting = Picture(width: 512, height: 512)
    #expect(rule { ($0.image, $0.mask) = (fitting, small) } == .imageMismatch)
    #expect(rule { ($0.image, $0.strength) = (fitting, 0.01) } == .generationSetting)
    #expect(rule { ($0.image, $0.strength) = (fitting, .nan) } == .generationSetting)
  }

  @Test("a part of a model, and what is no model, make no picture")
  func models() throws {
    let lora = SyntheticModel(preset: .loraTiny, seed: 1, dtype: .f16)
    let alone = #expect(throws: Fault.self) { try ImageModel.check(lora) }
    #expect(alone?.rule == .generationModel && alone?.found == "LoRA")
    let vae = SyntheticModel(preset: .vae, seed: 1, dtype: .f16)
    let part = #expect(throws: Fault.self) { try ImageModel.check(vae) }
    #expect(part?.rule == .generationModel)
    try ImageModel.check(SyntheticModel(preset: .sd15Tiny, seed: 1, dtype: .f16))
  }

  @Test("the memory of a picture is known from the header, and grows with it")
  func memory() throws {
    let model = SyntheticModel(preset: .sd15, seed: 1, dtype: .f16)
    let runtime = try Runtime(precision: .f32, threads: 1)
    var request = ImageRequest(prompt: "x")
    let small = try ImageModel.memory(for: request, of: model, runtime: runtime)
    // The U-Net alone has 860 million weights of 16 bits.
    #expect(small > 1_719_000_000 && small < 4_000_000_000)
    (request.width, request.height) = (2048, 2048)
    #expect(try ImageModel.memory(for: request, of: model, runtime: runtime) > small)
    let fault = #expect(throws: Fault.self) {
      try ImageModel.checkMemory(for: request, of: model, runtime: runtime, free: 3 << 29)
    }
    #expect(fault?.rule == .generationMemory && fault?.found == "1.5 GiB")
  }

  @Test("a sheet has its pictures in rows and columns")
  func sheet() throws {
    let pictures = (0..<6).map { Picture(width: 64, height: 32, red: UInt8($0), green: 0, blue: 0) }
    let sheet = try ContactSheet(
      columns: ["a", "b", "c"], rows: ["x", "y"], pictures: pictures
    ).drawn()
    func red(_ x: Int, _ y: Int) -> UInt8 { sheet.pixels[3 * (y * sheet.width + x)] }
    for (index, column) in [0, 1, 2].enumerated() {
      let x = sheet.width - (3 - column) * 72 + 32
      #expect(red(x, sheet.height - 72 + 8) == UInt8(index))
      #expect(red(x, sheet.height - 32) == UInt8(index + 3))
    }
  }
}
