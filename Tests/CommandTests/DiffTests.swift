import Foundation
import TestSupport
import Testing

@Suite("sdtool diff and ancestry")
struct DiffTests {
  private let folder = TemporaryFolder()

  private func model(_ name: String, seed: Int) throws -> String {
    let path = folder.path(name)
    let made = try Tool.run(["synth", "--preset", "sd15-tiny", "--seed", "\(seed)", "-o", path])
    #expect(made.code == 0, "\(made.errors)")
    return path
  }

  private func json(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("Exit codes: 0 for the same model in another layout, 1 beyond --tolerance, 2, 64")
  func codes() throws {
    let a = try model("a.safetensors", seed: 1)
    let b = try model("b.safetensors", seed: 2)
    let converted = folder.path("folder")
    #expect(try Tool.run("convert", a, "-o", converted, "--layout", "diffusers").code == 0)
    let same = try Tool.run("diff", a, converted)
    #expect(same.code == 0 && same.output.contains("identical: every tensor has the same bytes"))
    #expect(try Tool.run("diff", a, b).code == 1)
    #expect(try Tool.run("diff", a, b, "--tolerance", "10").code == 0)
    let quiet = try Tool.run("diff", a, b, "--quiet")
    #expect(quiet.code == 1 && quiet.output.isEmpty && quiet.errors.isEmpty)
    let missing = try Tool.run("diff", a, folder.path("none.safetensors"))
    #expect(missing.code == 2 && missing.errors.contains("cannot open"))
    #expect(try Tool.run("diff", a).code == 64)
    #expect(try Tool.run("diff", a, b, "--json", "--csv").code == 64)
  }

  @Test("JSON, CSV and Markdown hold every tensor, place and component")
  func formats() throws {
    let a = try model("a.safetensors", seed: 1)
    let b = try model("b.safetensors", seed: 2)
    let report = try json(try Tool.run("diff", a, b, "--json").output)
    #expect((report["tensors"] as? [Any])?.count == 1131)
    #expect((report["places"] as? [Any])?.count == 29)
    #expect((report["components"] as? [Any])?.count == 3)
    #expect(report["identical"] as? Bool == false)
    let csv = try Tool.run("diff", a, b, "--csv").output
    #expect(csv.components(separatedBy: "\r\n").count == 1133)
    let markdown = try Tool.run("diff", a, b, "--format", "markdown", "--top", "3").output
    #expect(markdown.contains("| IN04 | 38/38 |"))
    let three = try json(try Tool.run("diff", a, b, a, "--json").output)
    #expect(three["change_cosines"] is [String: Any])
    let differences = try #require(three["differences"] as? [String: [String: Any]])
    #expect(differences["c"]?["identical"] as? Bool == true)
  }

  @Test("A LoRA against a checkpoint is one sentence")
  func kinds() throws {
    let a = try model("a.safetensors", seed: 1)
    let lora = folder.path("lora.safetensors")
    #expect(try Tool.run("synth", "--preset", "lora-tiny", "-o", lora).code == 0)
    let run = try Tool.run("diff", a, lora)
    #expect(run.code == 2 && run.output.isEmpty)
    #expect(run.errors.contains("found LoRA") && run.errors.contains("[CM001]"))
    #expect(run.errors.split(separator: "\n").count == 1)
  }

  @Test("--explain writes a recipe that merge reads, and whose result is close")
  func explain() throws {
    let a = try model("a.safetensors", seed: 1)
    let b = try model("b.safetensors", seed: 2)
    let merged = folder.path("m.safetensors")
    let recipe = folder.path("recipe.yaml")
    let again = folder.path("n.safetensors")
    let weights = (0..<26).map { "\(Double($0 * 37 % 101) / 101)" }.joined(separator: ",")
    #expect(try Tool.run("merge", a, b, "--mbw", weights, "-o", merged, "--quiet").code == 0)
    let run = try Tool.run("diff", "--explain", merged, a, b, "-o", recipe)
    #expect(run.code == 0, "\(run.errors)")
    #expect(run.output.contains("explained by A + w(B − A) with block weights"))
    #expect(try Tool.run("diff", "--explain", merged, a, b, "-o", recipe).code == 2)
    #expect(try Tool.run("merge", "--recipe", recipe, "-o", again, "--quiet").code == 0)
    #expect(try Tool.run("diff", merged, again, "--tolerance", "1e-3", "--quiet").code == 0)
    // Paths in a recipe are seen from its folder.
    let below = folder.path("below")
    try FileManager.default.createDirectory(atPath: below, withIntermediateDirectories: true)
    let line =
      "cd '\(folder.path)' && '\(Tool.url.path)' diff --quiet --explain m.safetensors a.safetensors b.safetensors -o below/r.yaml"
    #expect(try Tool.run(URL(fileURLWithPath: "/bin/sh"), ["-c", line]).code == 0)
    let moved = try Tool.run("merge", "--recipe", below + "/r.yaml", "-o", again, "--force")
    #expect(moved.code == 0, "\(moved.errors)")
    let unrelated = try model("c.safetensors", seed: 3)
    #expect(try Tool.run("diff", "--explain", unrelated, a, b, "--quiet").code == 1)
    let same = try Tool.run("diff", "--explain", merged, a, a)
    #expect(same.code == 2 && same.errors.contains("[CM003]"))
  }

  @Test("A recipe that does not fit says so in its first line")
  func comment() throws {
    let a = try model("a.safetensors", seed: 1), b = try model("b.safetensors", seed: 2)
    let other = try model("c.safetensors", seed: 3), recipe = folder.path("recipe.yaml")
    #expect(try Tool.run("diff", "--quiet", "--explain", other, a, b, "-o", recipe).code == 1)
    let text = String(decoding: contents(of: recipe), as: UTF8.self)
    #expect(text.hasPrefix("# This recipe does not make the result again: not explained"))
    #expect(text.contains("times what rounding leaves"))
    let made = try Tool.run(
      "merge", "--recipe", recipe, "-o", folder.path("n.safetensors"), "--quiet")
    #expect(made.code == 0, "\(made.errors)")
  }

  @Test("A folder of models becomes a tree, a table and a graph")
  func ancestry() throws {
    let a = try model("a.safetensors", seed: 1)
    let b = try model("b.safetensors", seed: 2)
    let merged = folder.path("m.safetensors")
    #expect(try Tool.run("merge", a, b, "--alpha", "0.3", "-o", merged, "--quiet").code == 0)
    let run = try Tool.run("ancestry", folder.path)
    #expect(run.code == 0, "\(run.errors)")
    #expect(run.output.contains("lies between a.safetensors and b.safetensors (0.30)"))
    #expect(run.output.contains("recorded by sdtool: merged from a.safetensors, b.safetensors"))
    let report = try json(try Tool.run("ancestry", folder.path, "--json").output)
    #expect((report["distances"] as? [[Any]])?.count == 3)
    #expect(try Tool.run("ancestry", folder.path, "--csv").output.hasPrefix("model,"))
    #expect(try Tool.run("ancestry", folder.path, "--format", "dot").output.hasPrefix("digraph"))
    let broken = folder.write([1, 2, 3], to: "broken.safetensors")
    let partial = try Tool.run("ancestry", folder.path)
    #expect(partial.code == 2 && partial.errors.contains(broken))
    #expect(partial.output.contains("3 models"))
  }

  @Test("Models are found by the hashes in a recipe, whatever they are called now")
  func renamed() throws {
    let names = ["a", "b", "c"]
    let inputs = try names.enumerated().map { try model("\($1).safetensors", seed: 40 + $0) }
    let merged = folder.path("m.safetensors")
    let made = try Tool.run(
      ["merge"] + inputs + [
        "--method", "add-difference", "--alpha", "0.5", "-o", merged, "--quiet",
      ])
    #expect(made.code == 0, "\(made.errors)")
    // Another model takes the name of A, which gets a new one.
    let moved = folder.path("z.safetensors")
    try FileManager.default.moveItem(atPath: inputs[0], toPath: moved)
    _ = try model("a.safetensors", seed: 49)
    let run = try Tool.run("ancestry", folder.path)
    #expect(run.output.contains("merged from a.safetensors (here z.safetensors), b.safetensors"))
    let report = try json(try Tool.run("ancestry", folder.path, "--json").output)
    let models = try #require(report["models"] as? [[String: Any]])
    let paths = models.compactMap { ($0["path"] as? String).map { String($0.suffix(13)) } }
    let record = try #require((report["records"] as? [[String: Any]])?.first)
    let parents = try #require(record["parents"] as? [Int]).map { paths[$0] }
    #expect(parents == ["z.safetensors", "b.safetensors", "c.safetensors"])
    let dot = try Tool.run("ancestry", folder.path, "--format", "dot").output
    let own = try #require(paths.firstIndex(of: "m.safetensors"))
    for parent in parents {
      #expect(dot.contains("m\(paths.firstIndex(of: parent) ?? -1) -> m\(own) "), "\(parent)")
    }
    // Shared parts are nodes, named by their hash.
    let copy = folder.path("copy.safetensors")
    try FileManager.default.copyItem(atPath: moved, toPath: copy)
    let shared = try Tool.run("ancestry", moved, copy, "--format", "dot").output
    #expect(shared.contains("shape=note, label=\"VAE ") && shared.contains("style=dotted"))
  }

  @Test(
    "Names that hold escape codes are shown, not obeyed",
    arguments: ["text", "csv", "markdown", "html"])
  func escapes(format: String) throws {
    let name = "a\u{1B}[31m<script>"
    let header = Array(
      "{\"a\\u001b[31m<script>\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}".utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    let a = folder.write(length + header + [0, 0x3C], to: "a.safetensors")
    let b = folder.write(length + header + [0, 0x40], to: "b.safetensors")
    let run = try Tool.run("diff", a, b, "--format", format)
    #expect(run.code == 1, "\(run.errors)")
    #expect(!run.output.contains("\u{1B}") && !run.output.contains(name))
    #expect(run.output.contains("␛") && (format != "html" || !run.output.contains("<script>\"")))
  }
}
