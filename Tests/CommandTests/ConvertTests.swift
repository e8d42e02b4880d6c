import Foundation
import TestSupport
import Testing

@Suite("sdtool convert")
struct ConvertTests {
  private let folder = TemporaryFolder()

  private func model(_ name: String) throws -> String {
    let path = folder.path(name)
    let made = try Tool.run(["synth", "--preset", "sd15-tiny", "--seed", "7", "-o", path])
    #expect(made.code == 0, "\(made.errors)")
    return path
  }

  private func json(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("--plan writes nothing, and fails where the conversion would")
  func plan() throws {
    let input = try model("a.safetensors")
    let output = folder.path("b.safetensors")
    let good = try Tool.run(["convert", input, "-o", output, "--dtype", "vae=f32", "--plan"])
    #expect(good.code == 0)
    #expect(good.output.contains("cast F16 → F32"))
    #expect(!FileManager.default.fileExists(atPath: output))
    let bad = try Tool.run(["convert", input, "-o", output, "--ema", "--plan", "--json"])
    #expect(bad.code == 2)
    #expect(bad.errors.contains("has no moving average of the U-Net"))
    let problems = try #require(try json(bad.output)["problems"] as? [[String: Any]])
    #expect(problems.first?["rule"] as? String == "CV006")
  }

  @Test("The report for programs names every tensor that is left out or changed")
  func report() throws {
    let input = try model("a.safetensors")
    let run = try Tool.run([
      "convert", input, "-o", folder.path("out"), "--discard", "^first_stage_model\\.decoder",
      "--json",
    ])
    #expect(run.code == 0, "\(run.errors)")
    let report = try json(run.output)
    let tensors = try #require(report["tensors"] as? [[String: Any]])
    let dropped = try #require(report["dropped"] as? [[String: Any]])
    #expect(tensors.count + dropped.count == 1131)
    #expect(dropped.allSatisfy { $0["reason"] as? String == "discarded by --discard" })
    #expect(dropped.count == 138)
    #expect(tensors.allSatisfy { $0["original_name"] is String })
  }

  @Test("--quiet prints nothing; a second run is refused without --force")
  func quiet() throws {
    let input = try model("a.safetensors")
    let arguments = ["convert", input, "-o", folder.path("b.ckpt"), "--quiet"]
    let first = try Tool.run(arguments)
    #expect(first.code == 0 && first.output.isEmpty && first.errors.isEmpty)
    let second = try Tool.run(arguments)
    #expect(second.code == 2)
    #expect(second.errors.contains("exists already; give another name, or --force to replace it"))
    #expect(try Tool.run(arguments + ["--force"]).code == 0)
  }

  @Test("A type, component or expression that does not exist is wrong usage")
  func usage() throws {
    for wrong in [
      ["--dtype", "f8"], ["--dtype", "vea=f16"], ["--only", "x"], ["--discard", "("],
    ] {
      let run = try Tool.run(["convert", "a", "-o", "b"] + wrong)
      #expect(run.code == 64, "\(wrong)")
    }
  }
}
