import Foundation
import Pictures
import TestSupport
import Testing

/// What trained weights show and random ones do not, on the models of `fixtures/demo`.
@Suite("The demo models draw what is asked for, and merges of them what lies between")
struct DemoModelTests {
  private let folder = TemporaryFolder()

  private func model(_ name: String) -> String { Fixtures.path("demo/\(name).safetensors") }

  /// Runs a command that must succeed.
  @discardableResult
  private func run(_ arguments: [String], code: Int32 = 0) throws -> Tool.Result {
    let result = try Tool.run(arguments)
    #expect(result.code == code, "\(arguments.joined(separator: " ")): \(result.errors)")
    return result
  }

  /// Whether the program has a fast path for BF16 here.
  private static let computesBF16 =
    (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.contains("avx512_bf16")
    ?? false

  /// The picture of a prompt by a model, a merge recipe or a model with LoRAs.
  private func picture(
    _ model: String, _ prompt: String = "a large red circle on a plain background",
    precision: String = "reference", _ options: String...
  ) throws -> Picture {
    let path = folder.path("picture.png")
    try run(
      [
        "txt2img", "--quiet", "--force", "--no-hash", "-m", model, "-p", prompt, "--size", "64x64",
        "--seed", "1", "--cfg", "4", "--precision", precision, "-o", path,
      ] + options)
    return try Picture(path: path)
  }

  /// Base a and base b, merged.
  private func merged(_ name: String, _ options: String...) throws -> String {
    let path = folder.path(name + ".safetensors")
    try run(["merge", "--quiet", model("base-a"), model("base-b"), "-o", path] + options)
    return path
  }

  /// The mean brightness of the upper corners, from 0 to 255: what the background is like.
  private func background(_ picture: Picture) -> Double {
    let values = corners(of: picture).joined()
    return Double(values.reduce(0) { $0 + Int($1) }) / Double(values.count)
  }

  /// The 72 pixels of the upper corners.
  private func corners(of picture: Picture) -> [[UInt8]] {
    (0..<6).flatMap { y in
      (0..<picture.width).filter { $0 < 6 || $0 >= picture.width - 6 }.map { x in
        let start = (y * picture.width + x) * 3
        return Array(picture.pixels[start..<start + 3])
      }
    }
  }

  /// The mean difference of two pictures, from 0 to 255.
  private func distance(_ a: Picture, _ b: Picture) -> Double {
    let sum = zip(a.pixels, b.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    return Double(sum) / Double(a.pixels.count)
  }

  /// The main color of what is strongly colored: which of six hues is nearest.
  private func color(_ picture: Picture) -> String? {
    var sums = [0.0, 0, 0]
    var count = 0
    for pixel in stride(from: 0, to: picture.pixels.count, by: 3) {
      let values = picture.pixels[pixel..<pixel + 3].map(Int.init)
      guard let most = values.max(), let least = values.min(), most - least > 80 else { continue }
      count += 1
      for channel in 0..<3 { sums[channel] += Double(values[channel]) }
    }
    guard count >= 30 else { return nil }
    func hue(_ c: [Double]) -> Double {
      atan2(3.0.squareRoot() * (c[1] - c[2]), 2 * c[0] - c[1] - c[2])
    }
    let colors: [String: [Double]] = [
      "red": [222, 40, 44], "yellow": [247, 206, 28], "green": [38, 166, 58],
      "cyan": [34, 200, 208], "blue": [42, 74, 216], "purple": [172, 48, 196],
    ]
    return colors.min { a, b in
      let (x, y) = (hue(a.value) - hue(sums), hue(b.value) - hue(sums))
      return abs(remainder(x, 2 * .pi)) < abs(remainder(y, 2 * .pi))
    }?.key
  }

  @Test("every file is as its checksum says; a damaged and a missing one are named")
  func checksums() throws {
    let check = URL(fileURLWithPath: Fixtures.root + "/Scripts/demo-models/check")
    let whole = try Tool.run(check, [])
    #expect(whole.code == 0, "\(whole.errors)")

    let sums = try String(contentsOfFile: Fixtures.path("demo/SHA256SUMS"), encoding: .utf8)
    let files = try FileManager.default.contentsOfDirectory(atPath: Fixtures.path("demo"))
      .filter { $0.hasSuffix(".safetensors") }
    #expect(files.allSatisfy { sums.contains("  \($0)\n") })
    #expect(files.count == sums.split(separator: "\n").count)

    for name in files where name != "base-b.safetensors" {
      try FileManager.default.copyItem(
        atPath: Fixtures.path("demo/" + name), toPath: folder.path(name))
    }
    var bytes = contents(of: folder.path("base-a.safetensors"))
    bytes[bytes.count / 2] ^= 1
    _ = folder.write(bytes, to: "base-a.safetensors")
    _ = folder.write(Array(sums.utf8), to: "SHA256SUMS")
    let broken = try Tool.run(check, [folder.path])
    #expect(broken.code == 1)
    let lines = broken.errors.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines[0].contains("base-a.safetensors is damaged"))
    #expect(lines[1].contains("base-b.safetensors is missing"))
    #expect(lines.allSatisfy { $0.contains("Scripts/demo-models/make") })
  }

  @Test("merged with 0 and 1 the parents draw, and between them the night falls")
  func ends() throws {
    let (a, b) = try (picture(model("base-a")), picture(model("base-b")))
    #expect(try picture(merged("zero", "--alpha", "0")) == a)
    #expect(try picture(merged("one", "--alpha", "1")) == b)
    let half = try picture(merged("half", "--alpha", "0.5"))
    #expect(background(a) > 200)
    #expect(background(b) < 80)
    #expect(background(half) < background(a) && background(half) > background(b))
    for picture in [a, b, half] { #expect(color(picture) == "red") }
  }

  @Test("the weights of a block-weighted merge are found again, and draw the same")
  func recovered() throws {
    let mixed = try merged("mixed", "--mbw", "GRAD_V")
    let recipe = folder.path("recipe.yaml")
    try run(["diff", "--explain", mixed, model("base-a"), model("base-b"), "-o", recipe])
    #expect(try String(contentsOfFile: recipe, encoding: .utf8).contains("mbw: GRAD_V"))
    #expect(try picture(recipe) == picture(mixed))
  }

  @Test("a LoRA with strength 0 changes nothing, with 1 it draws hearts")
  func strengths() throws {
    let (base, prompt) = (model("base-a"), "a large red heart on a plain background")
    let plain = try picture(base, prompt)
    let lora = model("heart-lora")
    #expect(try picture(base, prompt, "--lora", lora + ":0") == plain)
    #expect(try distance(picture(base, prompt, "--lora", lora), plain) > 5)
  }

  @Test("a LoCon draws crosses, a DoRA on cream, an embedding stands for a red star")
  func adapters() throws {
    let base = model("base-a")
    let cross = "a large blue cross on a plain background"
    let locon = try picture(base, cross, "--lora", model("cross-locon"))
    #expect(try distance(locon, picture(base, cross)) > 5)
    #expect(color(locon) == "blue")

    let star = "a large green star on a plain background"
    #expect(try yellowness(picture(base, star)) < 10)
    #expect(try yellowness(picture(base, star, "--lora", model("paper-dora"))) > 20)

    let word = "a rubystar on a plain background"
    let known = try picture(base, word, "--embedding", model("rubystar"))
    #expect(color(known) == "red")
    #expect(try distance(known, picture(base, "a large red star on a plain background")) < 12)
    #expect(try distance(known, picture(base, word)) > 12)
  }

  /// How much more red than blue the upper corners are.
  private func yellowness(_ picture: Picture) -> Double {
    var sum = 0
    for pixel in corners(of: picture) { sum += Int(pixel[0]) - Int(pixel[2]) }
    return Double(sum) / 72
  }

  @Test(
    "bf16 draws what the reference draws",
    .enabled(if: Self.computesBF16, "the processor has no AVX-512 with BF16"))
  func precision() throws {
    for name in ["base-a", "base-b"] {
      let exact = try picture(model(name))
      let coarse = try picture(model(name), precision: "bf16")
      #expect(distance(exact, coarse) < 4, "\(distance(exact, coarse))")
      #expect(color(coarse) == "red")
    }
  }

  @Test(
    "every sampler draws a blue shape on white",
    arguments: [
      "ddpm", "ddim", "euler", "euler-a", "heun", "lms", "dpmpp-2m", "dpmpp-2m-sde", "dpmpp-sde",
      "dpmpp-2s-a", "unipc",
    ])
  func samplers(_ name: String) throws {
    let drawn = try picture(
      model("base-a"), "a large blue square on a plain background", "--sampler", name)
    #expect(color(drawn) == "blue")
    #expect(background(drawn) > 200)
  }
}
