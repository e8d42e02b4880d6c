import Foundation
import Pictures
import TestSupport
import Testing

/// Sheets of pictures: each cell is the picture that a run of its own makes.
@Suite("sdtool txt2img --grid")
struct GridTests {
  private let folder = TemporaryFolder()
  private static let common = ["--size", "64x72", "--steps", "2", "--precision", "reference"]

  init() throws {
    for (name, preset, seed) in [
      ("a", "sd15-tiny", "1"), ("b", "sd15-tiny", "2"), ("style", "lora-tiny", "3"),
    ] {
      let made = try Tool.run([
        "synth", "--preset", preset, "--seed", seed, "-o", folder.path(name + ".safetensors"),
      ])
      #expect(made.code == 0, "\(made.errors)")
    }
  }

  private func recipe(_ alpha: String, _ name: String) -> String {
    folder.write(
      Array(
        """
        recipe: 1
        models: {a: a.safetensors, b: b.safetensors}
        steps:
          - {method: weighted-sum, models: [a, b], alpha: \(alpha)}
        """.utf8), to: name)
  }

  /// A sheet, and what was merged for each model.
  private func sheet(_ arguments: [String]) throws -> (Picture, [[String: Any]]) {
    let path = folder.path("sheet.png")
    let run = try Tool.run(
      ["txt2img", "-p", "x", "--json", "--force", "-o", path] + Self.common + arguments)
    #expect(run.code == 0, "\(run.errors)")
    let report = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
    return (try Picture(path: path), try #require(report?["models"] as? [[String: Any]]))
  }

  private func single(_ arguments: [String]) throws -> Picture {
    let path = folder.path("single.png")
    let run = try Tool.run(
      ["txt2img", "-p", "x", "--force", "-o", path] + Self.common + arguments)
    #expect(run.code == 0, "\(run.errors)")
    return try Picture(path: path)
  }

  /// The picture in a cell: cells fill the sheet from its lower right corner.
  private func cell(_ column: Int, of columns: Int, _ row: Int, of rows: Int, in sheet: Picture)
    -> Picture
  {
    var part = Picture(width: 64, height: 72)
    part.draw(
      sheet, atX: -(sheet.width - (columns - column) * 72),
      y: -(sheet.height - (rows - row) * 80))
    return part
  }

  @Test(
    "sheets that make no sense are refused",
    arguments: [
      (["--grid", "seed=1,2", "--grid", "seed=3,4"], "both directions"),
      (["--grid", "seed=1,2", "--count", "2"], "one picture in each cell"),
      (["--grid", "strength=0.5,1"], "img2img"), (["--cfg-rescale", "nan"], "0 to 1"),
    ])
  func senseless(options: [String], words: String) throws {
    let result = try Tool.run(
      [
        "txt2img", "-m", Fixtures.path("demo/base-a.safetensors"), "-p", "a", "--size", "64x64",
        "--steps", "1", "-o", folder.path("sheet.png"),
      ] + options)
    #expect(result.code == 2 && result.errors.contains(words), "\(result.errors)")
  }

  @Test("cells over α and seeds are the pictures of single runs")
  func alpha() throws {
    let (sheet, models) = try sheet([
      "-m", recipe("0.5", "r.yaml"), "--grid", "alpha=0,0.25,1", "--grid", "seed=1..2",
    ])
    for (column, alpha) in ["0", "0.25", "1"].enumerated() {
      for row in 0..<2 {
        let alone = try single(["-m", recipe(alpha, "one.yaml"), "--seed", "\(row + 1)"])
        #expect(cell(column, of: 3, row, of: 2, in: sheet) == alone, "\(alpha), seed \(row + 1)")
      }
    }
    #expect(models.count == 3)
  }

  @Test("of block weights only the blocks that differ are merged again")
  func blocks() throws {
    func weights(_ changed: Int?) -> String {
      (0..<26).map { $0 == changed ? "1" : $0 == 3 ? "0.5" : "0" }.joined(separator: ",")
    }
    // The numbers are BASE, IN00 to IN11, M00 and OUT00 to OUT11.
    let lists = [weights(nil), weights(5), weights(13)]
    let (sheet, models) = try sheet([
      "-m", recipe("0.5", "r.yaml"), "--seed", "4", "--grid",
      "mbw=" + lists.joined(separator: ";"),
    ])
    for (column, list) in lists.enumerated() {
      let alone = try single([
        "-m", recipe("{mbw: \"\(list)\"}", "one.yaml"), "--seed", "4",
      ])
      #expect(cell(column, of: 3, 0, of: 1, in: sheet) == alone, "\(list)")
    }
    #expect(
      models.map { $0["merged_blocks"] as? [String] }.dropFirst()
        == [["IN04"], ["IN04", "M00"]])
    let kept = models.compactMap { $0["kept_tensors"] as? Int }
    #expect(kept[0] == 0 && kept[1] > 900 && kept[2] > 900)
  }

  @Test("of a LoRA's strengths only what the LoRA changes is merged again")
  func lora() throws {
    let style = folder.path("style.safetensors"), model = folder.path("a.safetensors")
    let (sheet, models) = try sheet([
      "-m", model, "--lora", style, "--seed", "2", "--grid", "lora=0,0.5,1",
    ])
    for (column, strength) in ["0", "0.5", "1"].enumerated() {
      let alone = try single(["-m", model, "--lora", "\(style):\(strength)", "--seed", "2"])
      #expect(cell(column, of: 3, 0, of: 1, in: sheet) == alone, "\(strength)")
    }
    let merged = models.compactMap { $0["merged_tensors"] as? Int }
    #expect(merged.count == 3 && merged[1] == merged[2] && merged[1] < merged[0] / 2)
    let blocks = try #require(models[1]["merged_blocks"] as? [String])
    #expect(!blocks.contains("VAE") && !blocks.contains("TIME"))
  }
}
