import Foundation
import TestSupport
import Testing

@Suite("Commands that make LoRAs")
struct LoRAEditCommandTests {
  private let folder = TemporaryFolder()
  private let rank8 = Fixtures.path("lora/lora_rank8.safetensors")
  private let loha = Fixtures.path("lora/loha.safetensors")

  private func object(_ text: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("lora-add reports ranks, error and the hashes of what it wrote")
  func add() throws {
    let out = folder.path("sum.safetensors")
    let arguments = ["lora-add", rank8 + ":0.7", loha + ":-0.4:te=0", "-o", out, "--rank", "3"]
    let json = try Tool.run(arguments + ["--json"])
    #expect(json.code == 0, "\(json.errors)")
    let report = try object(json.output)
    let inputs = try #require(report["inputs"] as? [[String: Any]])
    #expect(inputs.map { $0["unet"] as? Double } == [0.7, -0.4])
    #expect(inputs.map { $0["text_encoder"] as? Double } == [0.7, 0])
    let modules = try #require(report["modules"] as? [[String: Any]])
    #expect(modules.allSatisfy { ($0["rank"] as? Int ?? 9) <= 3 })
    let output = try #require(report["output"] as? [String: Any])
    #expect(output["bytes"] as? Int == contents(of: out).count)
    let hashes = try object(try Tool.run("hash", out, "--json").output)
    let file = try #require((hashes["files"] as? [[String: Any]])?.first)
    #expect(file["autov3"] as? String == output["autov3"] as? String)
    #expect(file["autov2"] as? String == output["autov2"] as? String)
    let claims = try #require(hashes["claims"] as? [[String: Any]])
    #expect(!claims.isEmpty && claims.allSatisfy { $0["true"] as? Bool == true })
    let again = try Tool.run(arguments + ["--force", "--threads", "1"])
    #expect(again.code == 0)
    #expect(again.output.contains(try #require(output["autov2"] as? String)))
  }

  @Test(
    "a strength after the path, also for a part",
    arguments: [
      ("", 1.0, 1.0), (":0.5", 0.5, 0.5), (":-0.5:te=0.25", -0.5, 0.25), (":te=0", 1, 0),
      (":unet=0:1", 0, 1), (":0.25:0.5", 0.5, 0.25), (":0.5:lbw=OUTALL", 0.5, 0.5),
    ])
  func strengths(suffix: String, unet: Double, text: Double) throws {
    let out = folder.path("one.safetensors")
    let result = try Tool.run("lora-add", rank8 + suffix, "-o", out, "--json", "--force")
    let input = try #require((try object(result.output)["inputs"] as? [[String: Any]])?.first)
    #expect(input["unet"] as? Double == unet)
    #expect(input["text_encoder"] as? Double == text)
  }

  @Test("lora-resize lists the error of every module")
  func resize() throws {
    let out = folder.path("small.safetensors")
    let result = try Tool.run("lora-resize", rank8, "--energy", "0.9", "-o", out, "--list")
    #expect(result.code == 0)
    #expect(result.output.contains("lora_te_text_model_encoder_layers_3_self_attn_q_proj"))
    #expect(result.output.contains("AutoV3"))
    let sized = try Tool.run("lora-resize", rank8, "--size", "5kB", "-o", out, "--force")
    #expect(sized.code == 0, "\(sized.errors)")
    #expect(contents(of: out).count <= 5000)
  }

  @Test("lora-convert and back")
  func convert() throws {
    let out = folder.path("diffusers.safetensors")
    let there = try Tool.run("lora-convert", loha, "--to", "diffusers", "-o", out)
    #expect(there.code == 0)
    #expect(there.output.contains("6 modules of LoHa: rewritten as plain LoRA"))
    let back = folder.path("kohya.safetensors")
    let result = try Tool.run("lora-convert", out, "--to", "kohya", "-o", back, "--json")
    #expect(try object(result.output)["from"] as? String == "diffusers")
  }

  @Test("lora-extract finds what was changed and leaves the rest out")
  func extract() throws {
    let (a, b) = (folder.path("a.safetensors"), folder.path("b.safetensors"))
    for (path, seed) in [(a, "1"), (b, "2")] {
      #expect(
        try Tool.run("synth", "--preset", "sd15-tiny", "--seed", seed, "-o", path, "--quiet").code
          == 0)
    }
    let out = folder.path("lora.safetensors")
    let same = try Tool.run("lora-extract", a, a, "-o", out)
    #expect(same.code == 2 && same.errors.contains("[LR056]"))
    #expect(contents(of: out).isEmpty)
    let arguments = ["lora-extract", b, a, "--rank", "4", "--conv-rank", "0", "-o", out]
    let result = try Tool.run(arguments + ["--json"])
    #expect(result.code == 0, "\(result.errors)")
    let report = try object(result.output)
    let error = try #require(report["error"] as? Double)
    let best = try #require(report["optimal_error"] as? Double)
    #expect(error >= best && error < 1 && best > error * 0.999)
    let modules = try #require(report["modules"] as? [[String: Any]])
    #expect(modules.contains { $0["omitted"] as? String == "not wanted" })
    #expect(try Tool.run("inspect", out).output.lowercased().contains("lora"))
  }

  @Test(
    "no command writes over what it reads, under whatever name",
    arguments: ["input.safetensors", "link.safetensors", "hard.safetensors"])
  func ownInput(name: String) throws {
    let lora = folder.write(contents(of: rank8), to: "input.safetensors")
    let manager = FileManager.default
    try manager.createSymbolicLink(
      atPath: folder.path("link.safetensors"), withDestinationPath: lora)
    try manager.linkItem(atPath: lora, toPath: folder.path("hard.safetensors"))
    let out = ["-o", folder.path(name), "--force"]
    for arguments in [
      ["lora-add", rank8, lora], ["lora-resize", lora, "--rank", "2"],
      ["lora-convert", lora, "--to", "comfy"],
    ] {
      let result = try Tool.run(arguments + out)
      #expect(result.code == 2 && result.errors.contains("[IO007]"), "\(result.errors)")
    }
    #expect(contents(of: lora) == contents(of: rank8))
    let model = folder.path("model.safetensors")
    _ = try Tool.run("synth", "--preset", "sd15-tiny", "-o", model, "--quiet")
    let before = contents(of: model)
    let result = try Tool.run("lora-extract", model, model, "-o", model, "--force")
    #expect(result.code == 2 && result.errors.contains("[IO007]"), "\(result.errors)")
    #expect(!before.isEmpty && contents(of: model) == before)
  }

  @Test("a sum tells what rounding costs")
  func rounding() throws {
    let out = folder.path("half.safetensors")
    let arguments = ["lora-add", rank8 + ":1e-9", "-o", out, "--dtype", "f16", "--force"]
    let report = try object(try Tool.run(arguments + ["--json"]).output)
    let rounding = try #require(report["rounding_error"] as? Double)
    #expect(rounding > 0 && rounding < 1e-3)
    #expect(report["error"] as? Double == rounding)
    #expect(try Tool.run(arguments).output.contains("rounding"))
  }

  @Test("wrong usage is 64 and what cannot be done 2; nothing is written")
  func errors() throws {
    let out = folder.path("none.safetensors")
    let usage = [
      ["lora-add", rank8, "-o", out, "--rank", "4", "--energy", "0.9"],
      ["lora-add", rank8, "-o", out, "--rank", "0"],
      ["lora-add", rank8, "-o", out, "--energy", "nan"],
      ["lora-add", rank8 + ":inf", "-o", out],
      ["lora-add", rank8 + ":1:2:3", "-o", out],
      ["lora-add", "<lora:style:1>", "-o", out],
      ["lora-resize", rank8, "--rank", "2", "-o", folder.path("none.ckpt")],
      ["lora-add", rank8, "-o", out, "--size", "-3"],
      ["lora-add", "-o", out],
      ["lora-resize", rank8, "-o", out],
      ["lora-resize", rank8, "-o", out, "--conv-rank", "4"],
      ["lora-convert", rank8, "-o", out, "--to", "webui"],
      ["lora-extract", rank8, rank8, "-o", out, "--te-gate", "2"],
    ]
    for arguments in usage { #expect(try Tool.run(arguments).code == 64, "\(arguments)") }
    let refused: [([String], String)] = [
      (["lora-add", Fixtures.path("lora/dora_out.safetensors"), "-o", out], "[LR050]"),
      (["lora-add", folder.path("absent.safetensors"), "-o", out], "[IO001]"),
      (["lora-add", rank8 + ":0", "-o", out], "[LR056]"),
      (["lora-add", rank8, "-o", loha], "[IO005]"),
      (["lora-add", rank8, "-o", rank8], "[IO007]"),
      (["lora-resize", rank8, "--size", "1kB", "-o", out], "[LR052]"),
      (
        [
          "lora-convert", Fixtures.path("lora/ia3.safetensors"), "--to", "diffusers", "-o", out,
        ], "[LR055]"
      ),
      (["lora-extract", rank8, rank8, "-o", out], "[LR057]"),
    ]
    for (arguments, rule) in refused {
      let result = try Tool.run(arguments)
      #expect(result.code == 2 && result.errors.contains(rule), "\(arguments): \(result.errors)")
    }
    #expect(contents(of: out).isEmpty)
  }
}
