import JSON
import LoRA
import LoRAEdit
import Tensors
import TestSupport
import Testing

@Suite("LoRAs that are read to be changed")
struct InputTests {
  private let folder = TemporaryFolder()
  private let module = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"

  private func file(_ bytes: [UInt8], _ name: String = "lora.safetensors") throws -> LoRAFile {
    try LoRAFile(path: folder.write(bytes, to: name))
  }

  private func resized(_ file: LoRAFile) throws -> EditedLoRA {
    try LoRASum([LoRASum.Term(file, 1)]).made(.rank(1, kernels: nil), dtype: .f32, width: 1)
  }

  @Test(
    "NaN and infinity are refused, and called so",
    arguments: [(Float.nan, "1 NaN value"), (.infinity, "1 infinite value")])
  func nonFinite(value: Float, word: String) throws {
    let lora = try file(plainLoRA(value))
    for dialect in LoRADialect.allCases {
      let fault = #expect(throws: Fault.self) {
        try LoRAConversion(lora, to: dialect).made(width: 1)
      }
      #expect(fault?.rule == .loraNonFinite)
      #expect(fault?.sentence.contains(word) == true)
    }
    let fault = #expect(throws: Fault.self) { try resized(lora) }
    #expect(fault?.rule == .loraNonFinite)
    #expect(fault?.sentence.contains(word) == true)
  }

  @Test("a product beyond single precision names file and module")
  func overflow() throws {
    let name = module
    let huge = [Float](repeating: 3e38, count: 8)
    let lora = try file(
      safetensors([
        ("\(name).lora_down.weight", [2, 4], huge), ("\(name).lora_up.weight", [4, 2], huge),
      ]))
    let fault = #expect(throws: Fault.self) { try resized(lora) }
    #expect(fault?.rule == .loraEditOverflow)
    #expect(fault?.path == lora.path)
    #expect(fault?.tensor == TensorName(name))
  }

  @Test("a weight larger than any of the network is refused before its singular values are sought")
  func largeWeight() throws {
    let side = 1300
    let lora = try file(
      safetensors([
        ("\(module).diff", [side, side], [Float](repeating: 0.5, count: side * side))
      ]))
    let fault = #expect(throws: Fault.self) { try resized(lora) }
    #expect(fault?.rule == .loraEditTooLarge)
    #expect(fault?.sentence.contains("1280") == true)
    let other = #expect(throws: Fault.self) {
      try LoRAConversion(lora, to: .diffusers).made(width: 1)
    }
    #expect(other?.rule == .loraEditTooLarge)
  }

  @Test("a rank beyond all use is refused, whatever the size of the file")
  func largeRank() throws {
    let lora = try file(plainLoRA(side: 4, rank: 1100))
    #expect(throws: Fault.self) { try resized(lora) }
    #expect(throws: Fault.self) { try LoRAConversion(lora, to: .kohya).made(width: 1) }
    #expect(try resized(file(plainLoRA(side: 4, rank: 512))).modules.count == 1)
  }

  @Test("a bias longer than any is refused")
  func longBias() throws {
    let lora = try file(
      safetensors([("\(module).diff_b", [60_000], [Float](repeating: 0.5, count: 60_000))]))
    #expect(throws: Fault.self) { try resized(lora) }
    #expect(throws: Fault.self) { try LoRAConversion(lora, to: .kohya).made(width: 1) }
  }

  @Test("a factor without values is refused")
  func empty() throws {
    let name = module
    let lora = try file(
      safetensors([("\(name).lokr_w1", [0, 4], []), ("\(name).lokr_w2", [4, 0], [])]))
    let fault = #expect(throws: Fault.self) {
      try LoRAConversion(lora, to: .kohya).made(width: 1)
    }
    #expect(fault?.rule == .loraFactors)
  }

  @Test("a sum has the tags and trigger phrases of all, and of other texts the first")
  func texts() throws {
    let first = try file(
      plainLoRA(texts: [
        "ss_tag_frequency": #"{"10_cat": {"cat": 10, "sofa": 2}}"#, "ss_output_name": "cats",
        "modelspec.trigger_phrase": "zwx cat", "ss_clip_skip": "2",
      ]), "a.safetensors")
    let second = try file(
      plainLoRA(texts: [
        "ss_tag_frequency": #"{"10_cat": {"cat": 5}, "3_dog": {"dog": 7}}"#,
        "ss_output_name": "dogs", "modelspec.trigger_phrase": "qrt dog", "ss_steps": "100",
      ]), "b.safetensors")
    let terms = [LoRASum.Term(first, 0.5), LoRASum.Term(second, 0.5)]
    let output = try LoRASum(terms).made(.exact, dtype: .f32, width: 1).output
    try output.write(to: folder.path("sum.safetensors"))
    let sum = try LoRAFile(path: folder.path("sum.safetensors"))
    let training = TrainingTexts(sum)
    #expect(training.tags.map(\.text) == ["cat", "dog", "sofa"])
    #expect(training.tags.map(\.count) == [15, 7, 2])
    #expect(sum.text("modelspec.trigger_phrase") == "zwx cat, qrt dog")
    #expect(sum.text("ss_output_name") == "cats")
    #expect(sum.text("ss_clip_skip") == "2")
    #expect(sum.text("ss_steps") == "100")
    #expect(sum.text("sshs_cp1")?.contains("dogs") == true)
    // The same training twice is one training.
    let twice = try LoRASum([LoRASum.Term(first, 0.5), LoRASum.Term(first, 0.5)])
      .made(.exact, dtype: .f32, width: 1).output
    let tags = twice.metadata.first { $0.key == "ss_tag_frequency" }?.value
    #expect(tags == first.text("ss_tag_frequency"))
  }
}
