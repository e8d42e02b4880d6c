import Foundation
import Pictures
import TestSupport
import Testing

@Suite("Pictures and reports on the command line")
struct PictureTests {
  private let folder = TemporaryFolder()

  /// Makes a small model.
  private func model(_ name: String, seed: Int = 1, preset: String = "sd15-tiny") throws -> String {
    let path = folder.path(name)
    let made = try Tool.run(
      "synth", "--quiet", "--preset", preset, "--seed", "\(seed)", "-o", path)
    #expect(made.code == 0, "\(made.errors)")
    return path
  }

  @Test("the README's pictures are what the program draws") func readme() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Fixtures.root + "/Scripts/pictures")
    process.arguments = [folder.path("images")]
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["SDTOOL": Tool.url.path]) { $1 }
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let readme = String(decoding: contents(of: Fixtures.root + "/README.md"), as: UTF8.self)
    for name in ["network.svg", "weights.svg", "difference.svg"] {
      let committed = contents(of: Fixtures.root + "/docs/images/" + name)
      #expect(!committed.isEmpty && committed == contents(of: folder.path("images/" + name)))
      #expect(readme.contains("docs/images/" + name))
    }
    // Processors round differently: the sheet of drawn pictures is compared by its pixels.
    let sheets = try [Fixtures.root + "/docs", folder.path("")].map {
      try Picture(path: $0 + "/images/merge-sheet.png")
    }
    try #require(sheets[0].pixels.count == sheets[1].pixels.count)
    #expect(zip(sheets[0].pixels, sheets[1].pixels).allSatisfy { abs(Int($0) - Int($1)) <= 2 })
    #expect(readme.contains("docs/images/merge-sheet.png"))
  }

  @Test(
    "what cannot be drawn gets a sentence and code 2",
    arguments: [
      (["draw", "--color-by", "mwb:GRAD_V"], "did you mean 'mbw'"),
      (["draw", "--color-by", "mbw:GRAD_X"], "did you mean 'GRAD_V'"),
      (["draw", "--color-by", "mbw"], "mbw:WEIGHTS"),
      (["draw", "--color-by", "validate"], "needs a model"),
      (["draw", "--size", "500x500"], "multiples of 64"),
      (["draw", "nothing.safetensors"], "nothing.safetensors"),
      (["draw", "-o", "/dev/full"], "/dev/full"),
      (["draw", "-o", "/dev/full", "--force"], "not a regular file"),
      (["draw", "--format", "png", "--scale", "16", "-o", "/tmp/none.png"], "a smaller --scale"),
      (["report", "nothing.safetensors"], "nothing.safetensors"),
      (["mbw", "--mbw", "GRAD_V", "--with", "GRAD_X"], "did you mean 'GRAD_V'"),
    ])
  func refused(arguments: [String], words: String) throws {
    let result = try Tool.run(arguments)
    #expect(result.code == 2)
    #expect(result.errors.contains(words), "\(result.errors)")
    #expect(!result.errors.contains("\u{1B}"))
  }

  @Test(
    "a model is not overwritten by a picture of it or a report on it",
    arguments: [
      ["report", "A", "-o", "A"], ["report", "B", "A", "-o", "A", "--format", "html"],
      ["draw", "A", "-o", "A"],
      ["draw", "B", "--color-by", "diff:A", "-o", "A", "--format", "svg"],
      ["draw", "B", "--chart", "heatmap", "--with", "A", "-o", "A", "--format", "png"],
      ["diff", "--explain", "B", "B", "A", "-o", "A"],
    ])
  func input(arguments: [String]) throws {
    let a = try model("a.safetensors"), b = try model("b.safetensors", seed: 2)
    let before = contents(of: a)
    let paths = ["A": a, "B": b]
    let result = try Tool.run(
      arguments.map { paths[$0] ?? $0.replacingOccurrences(of: "diff:A", with: "diff:" + a) } + [
        "--force"
      ])
    #expect(result.code == 2 && result.errors.contains("[IO007]"), "\(result.errors)")
    #expect(contents(of: a) == before)
  }

  @Test(
    "a suffix that stands for no format is refused, unless --format is given",
    arguments: [(["draw"], "x.jpg", "svg"), (["report", "A"], "m.pdf", "html")])
  func suffixes(command: [String], name: String, format: String) throws {
    let a = try model("a.safetensors"), output = folder.path(name)
    let arguments = command.map { $0 == "A" ? a : $0 } + ["-o", output]
    let result = try Tool.run(arguments)
    #expect(result.code == 2 && result.errors.contains("[DR006]") && contents(of: output).isEmpty)
    #expect(try Tool.run(arguments + ["--format", format]).code == 0)
  }

  @Test(
    "a full device is no success",
    arguments: [
      "draw A", "report A", "draw A --format html", "mbw GRAD_V", "mbw GRAD_V --format svg",
      "diff A B", "diff A B --format html", "diff --explain A A B --json", "ancestry A B",
      "ancestry A B --format svg",
    ])
  func full(command: String) throws {
    let paths = [
      "A": try model("a.safetensors"), "B": try model("b.safetensors", seed: 2),
    ]
    let words = command.split(separator: " ").map { "'\(paths[String($0)] ?? String($0))'" }
    let line = "'\(Tool.url.path)' \(words.joined(separator: " ")) > /dev/full"
    let result = try Tool.run(URL(fileURLWithPath: "/bin/sh"), ["-c", line])
    #expect(result.code == 2)
    #expect(result.errors.contains("standard output cannot be written: No space left on device"))
  }

  @Test("the network is coloured by everything that is promised") func colors() throws {
    let a = try model("a.safetensors"), b = try model("b.safetensors", seed: 2)
    for (text, words) in [
      ("mbw:GRAD_V", ">0.92<"), ("diff:\(b)", "relative change to b.safetensors"),
      ("validate", ">no finding<"), ("dtype", ">F16<"),
      ("mbw:" + Array(repeating: "-0.5", count: 26).joined(separator: ","), ">-0.50<"),
    ] {
      let result = try Tool.run("draw", a, "--color-by", text)
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.output.contains(words), "\(text)")
    }
    let lora = try model("lora.safetensors", preset: "lora-tiny")
    let effect = try Tool.run("draw", a, "--color-by", "lora:\(lora)")
    #expect(effect.code == 0 && effect.output.contains("relative change by lora.safetensors"))
    let other = try Tool.run("draw", lora)
    #expect(other.code == 2 && other.errors.contains("is not a Stable Diffusion 1.x model"))
  }

  @Test("histograms, heat maps and bars") func charts() throws {
    let a = try model("a.safetensors"), b = try model("b.safetensors", seed: 2)
    for grouping in ["all", "component", "role", "place"] {
      let result = try Tool.run("draw", a, "--chart", "histogram", "--by", grouping)
      #expect(result.code == 0 && result.output.contains("<polygon"), "\(result.errors)")
    }
    let one = try Tool.run(
      "draw", a, "--chart", "histogram", "--by", "tensor", "--tensors", "*time_embed.0*")
    #expect(one.code == 0 && one.output.contains("model.diffusion_model.time_embed.0."))
    let many = try Tool.run("draw", a, "--chart", "histogram", "--by", "tensor")
    #expect(many.code == 2 && many.errors.contains("at most 64"))
    let map = try Tool.run("draw", a, "--chart", "heatmap", "--with", b)
    #expect(map.code == 0 && map.output.contains(">OUT11<"))
    let bars = try Tool.run("mbw", "--mbw", "GRAD_V", "--format", "svg")
    #expect(bars.code == 0 && bars.output.contains(">IN07<"))
    let several = try Tool.run(
      "draw", a, "--chart", "histogram", "--by", "tensor", "--tensors", "*input_blocks.1.*.bias")
    #expect(several.output.contains(">0.in_layers.0.bias<"))
    #expect(several.output.contains("all names begin with model.diffusion_model.input_blocks.1."))
    let presets = try Tool.run("mbw", "--list-presets", "--format", "svg")
    #expect(presets.code == 0 && presets.output.contains(">GRAD_A<"))
  }

  @Test("one comparison is a page, a picture and words, as the suffix says") func suffix() throws {
    let a = try model("a.safetensors"), b = try model("b.safetensors", seed: 2)
    for (command, code) in [(["diff", a, b], Int32(1)), (["ancestry", a, b], 0)] {
      for (name, start) in [
        ("x.html", "<!DOCTYPE html>"), ("x.svg", "<svg"), ("x.png", "\u{FFFD}PNG"), ("x.md", "#"),
        ("x.json", "{"), ("x.csv", command[0] == "diff" ? "name," : "model,"),
      ] {
        let path = folder.path(command[0] + name)
        let result = try Tool.run(command + ["-o", path])
        #expect(result.code == code && result.output.isEmpty, "\(name): \(result.errors)")
        #expect(String(decoding: contents(of: path), as: UTF8.self).hasPrefix(start), "\(name)")
        #expect(try Tool.run(command + ["-o", path]).errors.contains("--force"))
      }
      #expect(try Tool.run(command + ["-o", folder.path("x.pdf")]).errors.contains("[DR006]"))
    }
    for command in [["draw", a], ["mbw", "GRAD_V"]] {
      let page = try Tool.run(command + ["--format", "html"])
      #expect(page.code == 0 && page.output.hasPrefix("<!DOCTYPE html>"))
    }
    #expect(try Tool.run("diff", a, b, a, "--format", "svg").code == 64)
    #expect(try Tool.run("diff", "--explain", a, a, b, "--format", "html").code == 64)
  }

  @Test("a report is complete, and nothing is overwritten unasked") func report() throws {
    let a = try model("a.safetensors"), page = folder.path("report.html")
    #expect(try Tool.run("report", a, "-o", page).code == 0)
    let text = String(decoding: contents(of: page), as: UTF8.self)
    #expect(text.hasPrefix("<!DOCTYPE html>") && text.hasSuffix("</html>\n"))
    let again = try Tool.run("report", a, "-o", page)
    #expect(again.code == 2 && again.errors.contains("--force"))
    #expect(try Tool.run("report", a, "-o", page, "--force", "--quick").code == 0)
    for format in ["text", "markdown", "json"] {
      let result = try Tool.run("report", a, "--format", format)
      #expect(result.code == 0 && result.output.contains("OUT11"), "\(result.errors)")
    }
  }
}
