import Foundation
import TestSupport
import Testing

@Suite("sdtool forward")
struct ForwardCommandTests {
  private let folder = TemporaryFolder()
  private let fixture = Fixtures.path("forward/vae-decode.safetensors")

  private func synth(_ name: String, _ preset: String = "sd15-tiny", seed: Int = 1) throws -> String
  {
    let path = folder.path(name)
    let made = try Tool.run(["synth", "--preset", preset, "--seed", "\(seed)", "-o", path])
    #expect(made.code == 0, "\(made.errors)")
    return path
  }

  @Test("--compare ends with 0 within the tolerance and 1 beyond it")
  func compare() throws {
    let model = try synth("a.safetensors")
    let arguments = [
      "forward", "vae-decode", "--model", model, "--input", fixture, "--compare", fixture,
    ]
    let good = try Tool.run(arguments)
    #expect(good.code == 0, "\(good.errors)")
    #expect(good.output.contains("all within 1.00e-4 deviations of 28 tensors"))
    let strict = try Tool.run(arguments + ["--tolerance", "0", "--json"])
    #expect(strict.code == 1)
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(strict.output.utf8)) as? [String: Any])
    let comparisons = try #require(report["comparisons"] as? [[String: Any]])
    #expect(comparisons.contains { $0["ok"] as? Bool == false })
    let other = try synth("b.safetensors", seed: 2)
    #expect(try Tool.run(arguments.map { $0 == model ? other : $0 }).code == 1)
  }

  /// Runs the program with a changed environment.
  private func run(_ variable: String, _ arguments: [String]) throws -> Tool.Result {
    try Tool.run(URL(fileURLWithPath: "/usr/bin/env"), [variable, Tool.url.path] + arguments)
  }

  @Test("Without oneDNN a sentence says what to install, and reference does without")
  func withoutLibrary() throws {
    let model = try synth("a.safetensors")
    // Found before those of the system, and no libraries.
    for name in ["libdnnl.so.2", "libdnnl.so.3"] {
      try Data("no library".utf8).write(to: URL(fileURLWithPath: folder.path(name)))
    }
    let hidden = "LD_LIBRARY_PATH=" + URL(fileURLWithPath: model).deletingLastPathComponent().path
    let arguments = [
      "forward", "vae-decode", "--model", model, "--input", fixture, "--compare", fixture,
      "--precision",
    ]
    let missing = try run(hidden, arguments + ["f32"])
    #expect(missing.code == 2)
    for words in ["oneDNN", "cannot be opened", "libdnnl2", "--precision reference", "[FW011]"] {
      #expect(missing.errors.contains(words), "\(missing.errors)")
    }
    let reference = try run(hidden, arguments + ["reference"])
    #expect(reference.code == 0, "\(reference.errors)")
  }

  @Test("Where oneDNN has no AVX2 to use the results stay within the tolerance")
  func oldProcessor() throws {
    let model = try synth("a.safetensors")
    for (part, name) in [
      ("vae-decode", "vae-decode"), ("vae-encode", "vae-encode"), ("text", "text"),
    ] {
      let file = Fixtures.path("forward/\(name).safetensors")
      let result = try run(
        "ONEDNN_MAX_CPU_ISA=SSE41",
        ["forward", part, "--model", model, "--input", file, "--compare", file])
      #expect(result.code == 0, "\(result.output)\(result.errors)")
    }
  }

  @Test("Several runs give what one gives, and tell the time of each")
  func runs() throws {
    let model = try synth("a.safetensors")
    let result = try Tool.run([
      "forward", "vae-decode", "--model", model, "--input", fixture, "--compare", fixture, "--json",
      "--runs", "3",
    ])
    #expect(result.code == 0, "\(result.errors)")
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    let runs = try #require(report["runs"] as? [Double])
    #expect(runs.count == 3 && runs.last == report["run_seconds"] as? Double)
  }

  @Test("A recipe with a LoRA gives what the written model gives")
  func recipe() throws {
    let a = try synth("a.safetensors"), b = try synth("b.safetensors", seed: 2)
    let lora = try synth("l.safetensors", "lora-tiny", seed: 3)
    let yaml =
      "recipe: 1\nmodels: {a: a.safetensors, b: b.safetensors}\n"
      + "steps:\n  - {method: weighted-sum, models: [a, b], alpha: 0.4}\noutput: {dtype: f16}\n"
    let recipe = folder.write(Array(yaml.utf8), to: "r.yaml")
    let merged = folder.path("m.safetensors"), styled = folder.path("s.safetensors")
    #expect(try Tool.run(["merge", a, b, "--alpha", "0.4", "-o", merged]).code == 0)
    #expect(try Tool.run(["lora-merge", merged, "--lora", lora + ":0.8", "-o", styled]).code == 0)
    let golden = folder.path("golden.safetensors")
    let size = ["forward", "unet", "--size", "64x64", "--precision", "reference"]
    #expect(try Tool.run(size + ["-m", styled, "-o", golden]).code == 0)
    let same = try Tool.run(
      size + ["-m", recipe, "--lora", lora + ":0.8", "--compare", golden, "--tolerance", "0"])
    #expect(same.code == 0, "\(same.errors)\(same.output)")
  }

  @Test("A prompt takes the place of tokens, and of the context that the model makes of them")
  func prompt() throws {
    let model = try synth("a.safetensors")
    let text = folder.path("text.safetensors"), first = folder.path("first.safetensors")
    let encode = ["forward", "text", "-m", model, "--prompt", "a cat", "--precision", "reference"]
    #expect(try Tool.run(encode + ["-o", text]).code == 0)
    let run = ["forward", "unet", "-m", model, "--size", "64x64", "--precision", "reference"]
    #expect(try Tool.run(run + ["--prompt", "a cat", "-o", first]).code == 0)
    let same = try Tool.run(
      run + ["--prompt", "a cat", "--compare", first, "--tolerance", "0"])
    #expect(same.code == 0, "\(same.errors)")
    let other = try Tool.run(
      run + ["--prompt", "a dog", "--compare", first, "--tolerance", "0"])
    #expect(other.code == 1)
    let cut = try Tool.run(
      encode.map { $0 == "a cat" ? String(repeating: "word ", count: 80) : $0 }
        + ["--compare", text, "--tolerance", "100"])
    #expect(cut.errors.contains("longer than 75 tokens; left out: word word word word word"))
    let useless = ["forward", "vae-decode", "-m", model, "--prompt", "x", "-o", first]
    #expect(try Tool.run(useless).code == 64)
  }

  @Test("Wrong usage and wrong files are told apart")
  func faults() throws {
    let model = try synth("a.safetensors")
    #expect(try Tool.run(["forward", "unet", "--model", model]).code == 64)
    #expect(try Tool.run(["forward", "unet", "-o", "x"]).code == 64)
    let missing = try Tool.run([
      "forward", "unet", "--model", model, "--input", fixture, "-o", folder.path("x.safetensors"),
    ])
    #expect(missing.code == 2)
    #expect(missing.errors.contains("has no tensor 'timestep'"))
  }

  @Test("Shapes are printed without a model, as those of Stable Diffusion 1.5")
  func shapes() throws {
    let run = try Tool.run(["forward", "vae-decode", "--shapes", "--size", "512x768"])
    #expect(run.code == 0)
    #expect(run.output.contains("[1, 4, 96, 64]"))
    #expect(run.output.contains("[1, 3, 768, 512]"))
  }

  @Test("validate --smoke passes a model that works")
  func smoke() throws {
    let model = try synth("a.safetensors")
    #expect(try Tool.run(["validate", "--smoke", model]).code == 0)
  }

  @Test("validate --smoke compares a merge with its inputs where their files are the same ones")
  func smokeInputs() throws {
    let a = try synth("a.safetensors"), b = try synth("b.safetensors", seed: 2)
    let merged = folder.path("m.safetensors")
    #expect(try Tool.run(["merge", a, b, "--alpha", "0.4", "-o", merged]).code == 0)
    let both = try Tool.run(["validate", "--smoke", "--width", "300", merged])
    #expect(both.output.contains("compared with a.safetensors and b.safetensors"))
    #expect(!both.output.contains("FW010"))
    let extreme = folder.path("extreme.safetensors")
    #expect(try Tool.run(["merge", a, b, "--alpha", "6", "-o", extreme]).code == 0)
    let unlike = try Tool.run(["validate", "--smoke", "--width", "300", extreme])
    #expect(unlike.output.contains("FW010") && unlike.output.contains("the decoded picture"))
    // Another file of that name is none of the inputs.
    #expect(
      try Tool.run(["synth", "--preset", "sd15-tiny", "--seed", "3", "-o", b, "--force"]).code == 0)
    let one = try Tool.run(["validate", "--smoke", "--width", "300", merged])
    #expect(one.output.contains("compared with a.safetensors"))
    #expect(!one.output.contains("b.safetensors"))
  }
}
