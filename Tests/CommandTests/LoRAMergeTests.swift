import Foundation
import TestSupport
import Testing

@Suite("sdtool lora-merge")
struct LoRAMergeTests {
  private let folder = TemporaryFolder()

  private func synth(_ preset: String, _ name: String, seed: Int) throws -> String {
    let path = folder.path(name)
    let made = try Tool.run(
      "synth", "--preset", preset, "--seed", "\(seed)", "-o", path, "--quiet", "--force")
    #expect(made.code == 0, "\(made.errors)")
    return path
  }

  private func run(_ arguments: String...) throws -> Tool.Result {
    let run = try Tool.run(arguments)
    #expect(run.code == 0, "\(run.errors)")
    return run
  }

  private func json(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("the number of threads changes no byte, and the strength is found again")
  func strength() throws {
    let base = try synth("sd15-tiny", "base.safetensors", seed: 1)
    let lora = try synth("lora-tiny", "style.safetensors", seed: 2)
    var outputs: [[UInt8]] = []
    for threads in ["1", "8"] {
      let output = folder.path("out.safetensors")
      let run = try self.run(
        "lora-merge", base, "--lora", lora + ":0.8:te=0.5", "-o", output, "--force", "--threads",
        threads)
      #expect(run.output.contains("792 applied"))
      outputs.append(contents(of: output))
    }
    #expect(outputs[0] == outputs[1])
    let report = try json(
      run("lora-verify", base, lora, folder.path("out.safetensors"), "--json").output)
    for case let block as [String: Any] in try #require(report["blocks"] as? [Any]) {
      let expected = block["block"] as? String == "BASE" ? 0.5 : 0.8
      #expect(abs((block["strength"] as? Double ?? 0) - expected) < 1e-3)
    }
  }

  @Test("lora-verify ends with 1 for another strength and for what is not the LoRA's")
  func verification() throws {
    let base = try synth("sd15-tiny", "base.safetensors", seed: 1)
    let lora = try synth("lora-tiny", "style.safetensors", seed: 2)
    let other = try synth("lora-tiny", "other.safetensors", seed: 3)
    let (one, two) = (folder.path("one.safetensors"), folder.path("two.safetensors"))
    _ = try run("lora-merge", base, "--lora", lora + ":0.8:lbw=OUTD", "-o", one)
    _ = try run("lora-merge", base, "--lora", lora + ":0.8", "--lora", other + ":0.3", "-o", two)
    for (expected, result, code) in [
      (":0.8:lbw=OUTD", one, 0), (":0.8", one, 1), (":0.79:lbw=OUTD", one, 0),
      (":0.7:lbw=OUTD", one, 1), (":0.8", two, 1), (":0.015", base, 1),
    ] {
      let run = try Tool.run("lora-verify", base, lora + expected, result)
      #expect(run.code == Int32(code), "\(expected): \(run.output)")
    }
    #expect(try Tool.run("lora-verify", base, lora, one, "--tolerance", "nan").code == 64)
  }

  @Test("a rank beyond all use is refused before anything is allocated")
  func hugeRank() throws {
    let base = try synth("sd15-tiny", "base.safetensors", seed: 1)
    let rank = 40_000_000
    let header = """
      {"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight":\
      {"dtype":"F8_E4M3","shape":[\(rank),32],"data_offsets":[0,\(rank * 32)]},\
      "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_up.weight":\
      {"dtype":"F8_E4M3","shape":[32,\(rank)],"data_offsets":[\(rank * 32),\(rank * 64)]}}
      """
    let length = UInt64(header.utf8.count)
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
    let lora = folder.write(bytes, to: "huge.safetensors")
    // A file with a hole takes no room.
    let handle = try #require(FileHandle(forWritingAtPath: lora))
    try handle.truncate(atOffset: UInt64(bytes.count + rank * 64))
    try handle.close()
    let output = folder.path("out.safetensors")
    let run = try Tool.run("lora-merge", base, "--lora", lora, "-o", output)
    #expect(run.code == 2)
    #expect(run.errors.contains("has a rank beyond all use"), "\(run.errors)")
    #expect(contents(of: output).isEmpty)
  }

  @Test("strength 0 gives the base, negative strength takes a LoRA out again")
  func inverse() throws {
    let base = try synth("sd15-tiny", "base.safetensors", seed: 1)
    let lora = try synth("lora-tiny", "style.safetensors", seed: 2)
    let (none, with, without) = (
      folder.path("none.safetensors"), folder.path("with.safetensors"),
      folder.path("without.safetensors")
    )
    _ = try run("lora-merge", base, "--lora", lora + ":0", "-o", none)
    #expect(try Tool.run("diff", base, none, "--quiet").code == 0)
    _ = try run("lora-merge", base, "--lora", lora, "-o", with, "--dtype", "f32")
    _ = try run("lora-merge", with, "--lora", lora + ":-1", "-o", without)
    #expect(try Tool.run("diff", base, with, "--tolerance", "1e-4", "--quiet").code == 1)
    #expect(try Tool.run("diff", base, without, "--tolerance", "1e-6", "--quiet").code == 0)
  }

  @Test("a recipe with a LoRA is locked, repeated elsewhere by hash, and verified")
  func recipe() throws {
    let base = try synth("sd15-tiny", "base.safetensors", seed: 1)
    let other = try synth("sd15-tiny", "other.safetensors", seed: 3)
    _ = try synth("lora-tiny", "style.safetensors", seed: 2)
    let text = """
      recipe: 1
      models: {a: base.safetensors, b: other.safetensors}
      steps:
        - {name: mix, method: weighted-sum, models: [a, b], alpha: 0.3}
        - {name: styled, lora: "style.safetensors:0.8:lbw=OUTALL", models: [mix]}
      output: {dtype: f16}
      """
    let recipe = folder.write(Array(text.utf8), to: "recipe.yaml")
    let locked = try run("merge", "--recipe", recipe, "--lock").output
    #expect(locked.contains("lora: [\"style:0.8:lbw=OUTALL\"]"))
    #expect(locked.components(separatedBy: "sha256: ").count == 4)
    let (first, second) = (folder.path("first.safetensors"), folder.path("second.safetensors"))
    _ = try run("merge", "--recipe", recipe, "-o", first, "--quiet")
    // In two commands, with a file in single precision between them.
    let mix = folder.path("mix.safetensors")
    _ = try run(
      "merge", base, other, "--alpha", "0.3", "--dtype", "f32", "-o", mix, "--quiet")
    _ = try run(
      "lora-merge", mix, "--lora", folder.path("style.safetensors") + ":0.8:lbw=OUTALL",
      "--dtype", "f16", "-o", second, "--quiet")
    #expect(try Tool.run("diff", first, second, "--quiet").code == 0)
    let models = folder.path("models")
    try FileManager.default.createDirectory(atPath: models, withIntermediateDirectories: false)
    for (number, name) in ["base", "other", "style"].enumerated() {
      try FileManager.default.moveItem(
        atPath: folder.path(name + ".safetensors"), toPath: models + "/\(number).safetensors")
    }
    #expect(try Tool.run("merge", "--verify", first, "--models", models, "--quiet").code == 0)
  }

  @Test(
    "what cannot be merged is refused before anything is written",
    arguments: [
      ("base.safetensors", "is a model, not a LoRA"),
      ("missing.safetensors", "cannot open"),
      ("style.safetensors:lbw=OUTDD", "did you mean OUTD?"),
      ("style.safetensors:lbw=1,2,3", "expected 12, 17, 20 or 26 values, found 3"),
    ])
  func refusals(lora: String, sentence: String) throws {
    let base = try synth("sd15-tiny", "base.safetensors", seed: 1)
    _ = try synth("lora-tiny", "style.safetensors", seed: 2)
    let output = folder.path("out.safetensors")
    let run = try Tool.run("lora-merge", base, "--lora", folder.path(lora), "-o", output)
    #expect(run.code == 2)
    #expect(run.errors.contains(sentence), "\(run.errors)")
    #expect(contents(of: output).isEmpty)
  }
}
