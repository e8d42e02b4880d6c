import Foundation
import TestSupport
import Testing

@Suite("sdtool txt2img, img2img, tokenize and eval")
struct GenerationTests {
  private let folder = TemporaryFolder()

  private func model(_ preset: String = "sd15-tiny", _ name: String = "a.safetensors") throws
    -> String
  {
    let path = folder.path(name)
    let made = try Tool.run(["synth", "--preset", preset, "--seed", "1", "-o", path])
    #expect(made.code == 0, "\(made.errors)")
    return path
  }

  @Test("a picture has its parameters, and the same bytes for any number of threads")
  func picture() throws {
    let model = try model()
    var files: [[UInt8]] = []
    for threads in ["1", "2"] {
      let path = folder.path("\(threads).png")
      let run = try Tool.run([
        "txt2img", "-m", model, "-p", "a (cat:1.2)", "--size", "64x72", "--steps", "2", "--seed",
        "3", "--precision", "reference", "--threads", threads, "-o", path,
      ])
      #expect(run.code == 0, "\(run.errors)")
      files.append(contents(of: path))
    }
    #expect(files[0] == files[1])
    let text = String(decoding: files[0], as: UTF8.self)
    #expect(text.contains("a (cat:1.2)\nSteps: 2, Sampler: DPM++ 2M, Schedule type: Uniform"))
    #expect(text.contains("Seed: 3, Size: 64x72, Model hash: "))
  }

  @Test("a mask keeps what is black, with models of 4 and of 9 channels")
  func mask() throws {
    for preset in ["sd15-tiny", "sd15-tiny-inpainting"] {
      let run = try Tool.run([
        "img2img", "-m", try model(preset, preset), "--image",
        Fixtures.path("generation/image.png"), "--mask", Fixtures.path("generation/mask.png"),
        "-p", "x", "--steps", "2", "--json", "-o", folder.path(preset + ".png"),
      ])
      #expect(run.code == 0, "\(run.errors)")
      #expect(run.output.contains("\"width\": 128"))
    }
  }

  @Test(
    "what cannot work is said in one sentence, before anything is made",
    arguments: [
      (["--size", "100"], "a multiple of 8, 64 or more"),
      (["--sampler", "eulre"], "did you mean 'euler'?"),
      (["--grid", "sed=1,2"], "did you mean 'seed'?"),
      (["--grid", "alpha=0,1"], "give a recipe"),
      (["--grid", "lora=0,1"], "give one with --lora"),
      (["-p", "x <lora:none:1>"], "--lora-dir"),
      (["--embedding", "none.pt"], "none.pt"),
      (["-p", "(a:1.2.3)"], "a weight that is not a number"),
    ])
  func refused(_ arguments: [String], _ words: String) throws {
    let path = folder.path("x.png")
    let prompt = arguments.contains("-p") ? [] : ["-p", "x"]
    let run = try Tool.run(["txt2img", "-m", model(), "-o", path] + prompt + arguments)
    #expect(run.code == 2)
    #expect(run.errors.contains(words), "\(run.errors)")
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("a picture of another size is scaled, a mask of another size is refused")
  func sizes() throws {
    let model = try model(), image = Fixtures.path("generation/image.png")
    let mask = Fixtures.path("generation/mask.png")
    func run(_ more: String...) throws -> Tool.Result {
      try Tool.run(
        ["img2img", "-m", model, "-p", "x", "--steps", "2", "--force", "-o", folder.path("i.png")]
          + more)
    }
    let scaled = try run("--image", image, "--mask", mask, "--size", "64x72")
    #expect(scaled.code == 0, "\(scaled.errors)")
    #expect(scaled.errors.contains("is 128 × 96; scaled to 64 × 72"))
    #expect(scaled.output.contains("64 × 72"))
    let first = folder.path("first.png")
    let make = ["txt2img", "-m", model, "-p", "x", "--size", "64", "--steps", "1", "-o", first]
    #expect(try Tool.run(make).code == 0)
    let refused = try run("--image", image, "--mask", first)
    #expect(refused.code == 2)
    #expect(refused.errors.contains("expected 128 × 96, found 64 × 64"), "\(refused.errors)")
  }

  @Test("the preview is a picture, and inspect shows how the result was made")
  func preview() throws {
    let model = try model(), made = folder.path("made.png"), preview = folder.path("preview.png")
    let lora = folder.path("style.safetensors")
    #expect(try Tool.run(["synth", "--preset", "lora-tiny", "-o", lora]).code == 0)
    let run = try Tool.run([
      "txt2img", "-m", model, "-p", "a <lora:style:0.5>cat", "--lora-dir", folder.path, "-n", "dog",
      "--size", "64x72", "--steps", "3", "--seed", "7", "--preview", preview, "-o", made,
    ])
    #expect(run.code == 0, "\(run.errors)")
    let shown = try Tool.run(["inspect", "--json", made, preview])
    let values = try #require(
      try JSONSerialization.jsonObject(with: Data(shown.output.utf8)) as? [[String: Any]])
    #expect(values.map { $0["width"] as? Int } == [64, 64])
    #expect(values.map { $0["height"] as? Int } == [72, 72])
    let parameters = try #require(values[0]["parameters"] as? [String: Any])
    #expect(parameters["prompt"] as? String == "a cat <lora:style:0.5>")
    #expect(parameters["negative_prompt"] as? String == "dog")
    let settings = try #require(parameters["settings"] as? [String: String])
    #expect(settings["Seed"] == "7" && settings["Size"] == "64x72")
    #expect(settings["Lora hashes"]?.hasPrefix("style: ") == true)
    // A preview takes the place of another one, and of nothing else.
    func again(_ path: String) throws -> Tool.Result {
      try Tool.run([
        "txt2img", "-m", model, "-p", "x", "--size", "64", "--steps", "1", "--preview", path,
        "--quiet", "-o", folder.path("\(UUID()).png"),
      ])
    }
    #expect(try again(preview).code == 0)
    #expect(try again(made).code == 2 && again(model).code == 2)
    // A LoRA in the prompt is one on the command line.
    let other = folder.path("other.png")
    #expect(
      try Tool.run([
        "txt2img", "-m", model, "-p", "a cat", "--lora", lora + ":0.5", "-n", "dog", "--size",
        "64x72", "--steps", "3", "--seed", "7", "-o", other,
      ]).code == 0)
    #expect(contents(of: made) == contents(of: other))
  }

  @Test("an interrupted picture leaves nothing, and the preview stays whole")
  func interruption() throws {
    let model = try model(), preview = folder.path("preview.png")
    let process = try Tool.start([
      "txt2img", "-m", model, "-p", "x", "--size", "512", "--steps", "1000", "--preview", preview,
      "-o", folder.path("never.png"),
    ])
    while !FileManager.default.fileExists(atPath: preview), process.isRunning { usleep(10_000) }
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal)
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(left == ["a.safetensors", "preview.png"])
    #expect(try Tool.run(["inspect", preview]).code == 0)
  }

  @Test("v-prediction and zero terminal SNR are taken from a folder's configuration")
  func prediction() throws {
    let tiny = folder.path("tiny")
    #expect(
      try Tool.run(["synth", "--preset", "sd15-tiny", "--layout", "diffusers", "-o", tiny]).code
        == 0)
    let config = tiny + "/scheduler/scheduler_config.json"
    let text =
      "{\"prediction_type\": \"v_prediction\", \"rescale_betas_zero_snr\": true, "
      + "\"beta_schedule\": \"scaled_linear\"}"
    try FileManager.default.createDirectory(
      atPath: tiny + "/scheduler", withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: config))
    func run(_ name: String, _ more: String...) throws -> ([UInt8], String) {
      let path = folder.path(name)
      let common = ["--size", "64", "--steps", "2", "--seed", "1", "-o", path]
      let run = try Tool.run(["txt2img", "-m", tiny, "-p", "x"] + common + more)
      #expect(run.code == 0, "\(run.errors)")
      return (contents(of: path), run.errors)
    }
    let (told, words) = try run("told.png")
    #expect(words.contains("v_prediction and zero terminal SNR, as its scheduler_config.json says"))
    let (asked, silent) = try run("asked.png", "--prediction", "v_prediction", "--zero-snr")
    #expect(told == asked && silent.isEmpty)
    #expect(try run("other.png", "--prediction", "epsilon", "--no-zero-snr").0 != told)
  }

  @Test("tokens are listed, and the noise error of pictures decides the exit code")
  func others() throws {
    let tokens = try Tool.run(["tokenize", "a (red:1.3) ball"])
    #expect(tokens.code == 0 && tokens.output.contains("736  red</w>"))
    #expect(tokens.output.contains("1.300") && tokens.output.contains("3 tokens in 1 chunk"))
    let model = try model()
    let arguments = [
      "eval", model, "--images", Fixtures.path("generation"), "--timesteps", "500", "--at-most",
    ]
    #expect(try Tool.run(arguments + ["100"]).code == 0)
    #expect(try Tool.run(arguments + ["0.001"]).code == 1)
  }

  @Test("an evaluation is compared with an earlier one, if that measured the same")
  func baseline() throws {
    let model = try model(), other = folder.path("b.safetensors")
    _ = try Tool.run(["synth", "--preset", "sd15-tiny", "--seed", "2", "-o", other])
    func eval(_ model: String, _ more: String...) throws -> Tool.Result {
      try Tool.run(
        ["eval", model, "--images", Fixtures.path("generation"), "--timesteps", "200"] + more)
    }
    let base = folder.write(Array(try eval(model, "--json").output.utf8), to: "base.json")
    let better = folder.write(Array(try eval(other, "--json").output.utf8), to: "other.json")
    #expect(try eval(model, "--baseline", base).code == 0)
    // One of the two is worse than the other.
    let codes = [
      try eval(model, "--baseline", better).code, try eval(other, "--baseline", base).code,
    ]
    #expect(codes.sorted() == [0, 1])
    #expect(try eval(model, "--baseline", better, "--margin", "10").code == 0)
    let mismatch = try eval(model, "--baseline", base, "--seed", "1")
    #expect(mismatch.code == 2 && mismatch.errors.contains("another seed"))
    let coarser = try eval(model, "--baseline", base, "--precision", "reference")
    #expect(coarser.code == 2 && coarser.errors.contains("another precision"))
    let told = try eval(model, "--baseline", base, "--prompt", "a cat")
    #expect(told.code == 2 && told.errors.contains("other captions"))
  }
}
