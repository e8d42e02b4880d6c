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
    #expect(text.contains("a (cat:1.2)\nSteps: 2, Sampler: DPM++ 2M, Schedule type: Automatic"))
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

  @Test("a sheet over block weights merges anew for each column")
  func sheet() throws {
    _ = try model()
    _ = try Tool.run([
      "synth", "--preset", "sd15-tiny", "--seed", "2", "-o", folder.path("b.safetensors"),
    ])
    let recipe = folder.write(
      Array(
        """
        recipe: 1
        models: {a: a.safetensors, b: b.safetensors}
        steps:
          - {method: weighted-sum, models: [a, b], alpha: 0.5}
        """.utf8), to: "r.yaml")
    let run = try Tool.run([
      "txt2img", "-m", recipe, "-p", "x", "--size", "64", "--steps", "1", "--grid", "alpha=0,1",
      "--grid", "seed=1..2", "--json", "-o", folder.path("sheet.png"),
    ])
    #expect(run.code == 0, "\(run.errors)")
    #expect(run.output.contains("\"cells\": 4"))
  }

  @Test(
    "what cannot work is said in one sentence, before anything is made",
    arguments: [
      (["--size", "100"], "a multiple of 8, 64 or more"),
      (["--sampler", "eulre"], "did you mean 'euler'?"),
      (["--grid", "sed=1,2"], "did you mean 'seed'?"),
      (["--grid", "alpha=0,1"], "give a recipe"),
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
}
