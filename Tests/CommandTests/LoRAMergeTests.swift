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
      ("base.safetensors", "is a model, not a LoRA", 2),
      ("missing.safetensors", "cannot open", 2),
      ("style.safetensors:lbw=OUTDD", "did you mean OUTD?", 64),
      ("style.safetensors:lbw=1,2,3", "expected 12, 17, 20 or 26 values, found 3", 64),
      ("style.safetensors:lbw-rest=1", "expected lbw= beside it", 64),
      ("style.safetensors:te=x", "is no number", 64),
    ])
  func refusals(lora: String, sentence: String, code: Int32) throws {
    let base = try synth("sd15-tiny", "base.safetensors", seed: 1)
    _ = try synth("lora-tiny", "style.safetensors", seed: 2)
    let output = folder.path("out.safetensors")
    let run = try Tool.run("lora-merge", base, "--lora", folder.path(lora), "-o", output)
    #expect(run.code == code)
    #expect(run.errors.contains(sentence), "\(run.errors)")
    #expect(contents(of: output).isEmpty)
  }

  @Test("wrong usage is 64 for every command", arguments: ["lora-add", "lora-verify"])
  func usage(command: String) throws {
    let arguments =
      command == "lora-add"
      ? ["x.safetensors:te=x", "-o", "out.safetensors"] : ["base", "x.safetensors:te=x", "result"]
    let run = try Tool.run([command] + arguments)
    #expect(run.code == 64 && run.errors.contains("is no number"), "\(run.errors)")
  }

  @Test(
    "hashes that were computed while writing are those of the file",
    arguments: ["safetensors", "ckpt"])
  func hashes(suffix: String) throws {
    let base = try synth("sd15-tiny", "base.safetensors", seed: 1)
    let lora = try synth("lora-tiny", "style.safetensors", seed: 2)
    let output = folder.path("out." + suffix)
    let report = try json(
      run("lora-merge", base, "--lora", lora, "-o", output, "--json", "--threads", "4").output)
    let files = try json(run("hash", output, "--json").output)["files"] as? [[String: Any]]
    let hash = try #require(files?.first)
    for key in ["sha256", "autov2", "autov3"] {
      #expect(report[key] as? String == hash[key] as? String, "\(key)")
      #expect(report[key] != nil || suffix == "ckpt" && key == "autov3")
    }
    let silent = try json(
      run("lora-merge", base, "--lora", lora, "-o", output, "--force", "--json", "--no-hash")
        .output)
    #expect(silent["sha256"] == nil)
  }

  @Test("tensors of a safetensors file stay in their order") func order() throws {
    let base = contents(of: try synth("sd15-tiny", "base.safetensors", seed: 1))
    let lora = try synth("lora-tiny", "style.safetensors", seed: 2)
    // The same model, its tensors the other way round.
    let length = base.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try #require(
      try JSONSerialization.jsonObject(with: Data(base[8..<8 + length])) as? [String: Any])
    var entries: [String] = []
    var data: [UInt8] = []
    for name in header.keys.filter({ $0 != "__metadata__" }).sorted().reversed() {
      let tensor = try #require(header[name] as? [String: Any])
      let range = try #require(tensor["data_offsets"] as? [Int])
      let shape = try #require(tensor["shape"] as? [Int])
      let type = try #require(tensor["dtype"] as? String)
      let start = data.count
      data += base[8 + length + range[0]..<8 + length + range[1]]
      entries.append(
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),"
          + "\"data_offsets\":[\(start),\(data.count)]}")
    }
    var text = "{" + entries.joined(separator: ",") + "}"
    while text.utf8.count % 8 != 0 { text += " " }
    let count = UInt64(text.utf8.count)
    let start = (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
    let bytes = start + Array(text.utf8) + data
    let model = folder.write(bytes, to: "reversed.safetensors")
    let output = folder.path("out.safetensors")
    _ = try run("lora-merge", model, "--lora", lora, "-o", output, "--quiet")
    func names(_ bytes: [UInt8]) throws -> [String] {
      let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      let header = try #require(
        try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: Any])
      return header.compactMap { name, value -> (Int, String)? in
        ((value as? [String: Any])?["data_offsets"] as? [Int]).map { ($0[0], name) }
      }
      .sorted { $0 < $1 }.map(\.1)
    }
    #expect(try names(contents(of: output)) == names(bytes))
  }

  @Test("a step of a recipe takes what lora-merge takes as options") func recipeOptions() throws {
    _ = try synth("sd15-tiny", "base.safetensors", seed: 1)
    let lora = folder.path("loras")
    try FileManager.default.createDirectory(atPath: lora, withIntermediateDirectories: false)
    _ = try synth("lora-tiny", "loras/style.safetensors", seed: 2)
    func merge(_ step: String) throws -> Tool.Result {
      let text = """
        recipe: 1
        models: {a: base.safetensors}
        steps:
          - {models: [a], \(step)}
        """
      let recipe = folder.write(Array(text.utf8), to: "recipe.yaml")
      return try Tool.run(
        "merge", "--recipe", recipe, "-o", folder.path("out.safetensors"), "--force")
    }
    let empty = try merge("lora: []")
    #expect(empty.code == 2 && empty.errors.contains("names no LoRA"), "\(empty.errors)")
    let homeless = try merge("lora: '<lora:style:0.8>'")
    #expect(homeless.code == 2 && homeless.errors.contains("'lora-dir'"), "\(homeless.errors)")
    let found = try merge(
      "lora: '<lora:style:0.8:lbw=OUTALL>', lora-dir: loras, compat: comfy-dora")
    #expect(found.code == 0, "\(found.errors)")
    let direct = folder.path("direct.safetensors")
    _ = try run(
      "lora-merge", folder.path("base.safetensors"), "--lora",
      folder.path("loras/style.safetensors") + ":0.8:lbw=OUTALL", "-o", direct, "--quiet")
    #expect(try Tool.run("diff", folder.path("out.safetensors"), direct, "--quiet").code == 0)
    // What fits nothing is an error that names the key, not an option of another command.
    let odd = try Data(contentsOf: URL(fileURLWithPath: folder.path("loras/style.safetensors")))
    let text = String(decoding: odd, as: UTF8.self)
    #expect(text.contains("lora_unet_mid_block_attentions_0_proj_in."))
    let from = Array("lora_unet_mid_block_attentions_0_proj_in.".utf8)
    let to = Array("lora_unet_mid_block_attentions_9_proj_in.".utf8)
    var bytes = [UInt8](odd)
    for start in 0..<20_000 where bytes[start..<start + from.count].elementsEqual(from) {
      bytes.replaceSubrange(start..<start + from.count, with: to)
    }
    _ = folder.write(bytes, to: "loras/odd.safetensors")
    let unmatched = try merge("lora: loras/odd.safetensors")
    #expect(unmatched.code == 2 && unmatched.errors.contains("'allow-unmatched: true'"))
    #expect(!unmatched.errors.contains("--allow-unmatched"), "\(unmatched.errors)")
    let allowed = try merge("lora: loras/odd.safetensors, allow-unmatched: true, dora-axis: out")
    #expect(allowed.code == 0, "\(allowed.errors)")
    let locked = try run("merge", "--recipe", folder.path("recipe.yaml"), "--lock").output
    #expect(locked.contains("allow-unmatched: true") && locked.contains("dora-axis: out"))
    let unknown = try merge("lora: loras/style.safetensors, dora-axis: up")
    #expect(unknown.code == 2 && unknown.errors.contains("'dora-axis' is unknown"))
  }
}
