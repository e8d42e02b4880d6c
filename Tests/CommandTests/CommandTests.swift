import Foundation
import TestSupport
import Testing

@Suite("The commands")
struct CommandTests {
  private let folder = TemporaryFolder()

  /// A synthetic model with narrow layers, in the layout that the name asks for.
  private func model(_ name: String, _ options: String...) throws -> String {
    let path = folder.path(name)
    let made = try Tool.run(
      ["synth", "--preset", "sd15-tiny", "--seed", "7", "-o", path] + options)
    #expect(made.code == 0, "\(made.errors)")
    return path
  }

  @Test("a model is the same in every layout: sound, and with one content id")
  func layouts() throws {
    let paths = try [
      model("a.safetensors"), model("a.ckpt"), model("unpacked", "--layout", "folder"),
      model("old.ckpt", "--layout", "legacy"), model("folder"),
    ]
    var ids = Set<String>()
    for path in paths {
      let checked = try Tool.run("validate", path)
      #expect(checked.code == 0, "\(checked.output)")
      let hashed = try Tool.run("hash", "--content", "--json", path)
      #expect(hashed.code == 0)
      let json = try JSONSerialization.jsonObject(with: Data(hashed.output.utf8))
      ids.insert((json as? [String: Any])?["content_id"] as? String ?? path)
    }
    #expect(ids.count == 1)
  }

  @Test("the same seed gives the same bytes for any number of threads, another seed others")
  func synthesis() throws {
    let one = try model("one.safetensors", "--threads", "1")
    let many = try model("many.safetensors", "--threads", "8")
    #expect(contents(of: one) == contents(of: many))
    let other = folder.path("other.safetensors")
    #expect(
      try Tool.run("synth", "--preset", "sd15-tiny", "--seed", "8", "-o", other).code == 0)
    #expect(contents(of: one) != contents(of: other))
  }

  @Test("nothing is overwritten unless asked")
  func overwriting() throws {
    let path = try model("a.safetensors")
    let before = contents(of: path)
    let refused = try Tool.run("synth", "--preset", "sd15-tiny", "--seed", "9", "-o", path)
    #expect(refused.code == 2)
    #expect(refused.errors.contains("exists already"))
    #expect(contents(of: path) == before)
    let forced = try Tool.run(
      "synth", "--preset", "sd15-tiny", "--seed", "9", "--force", "-o", path)
    #expect(forced.code == 0)
    #expect(contents(of: path) != before)
  }

  @Test("inspect says what a model is, as text and as JSON")
  func inspect() throws {
    let path = try model("a.safetensors")
    let text = try Tool.run("inspect", path)
    #expect(text.code == 0)
    #expect(text.output.contains("Stable Diffusion 1.x model with other widths · complete"))
    #expect(text.output.contains("no BatchNorm and no InstanceNorm"))
    let json = try Tool.run("inspect", "--json", "--tree", "--norms", "--convs", path)
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect(object["kind"] as? String == "sd1")
    #expect(object["complete"] as? Bool == true)
    #expect((object["places"] as? [Any])?.count == 29)
    #expect((object["tree"] as? [Any])?.count == 3)
    let list = try Tool.run("inspect", "--tensors", "*attn2.to_k*", "--stats", path)
    #expect(list.output.contains("16 of 1,131 tensors"))
  }

  @Test("exit codes: 0 clean, 1 findings, 2 broken or missing, 64 wrong usage")
  func exitCodes() throws {
    let path = try model("a.safetensors")
    #expect(try Tool.run("validate", path).code == 0)
    #expect(try Tool.run("validate", "--strict", path).code == 1)
    #expect(try Tool.run("validate", "--expect", "sd15", path).code == 1)
    #expect(try Tool.run("validate", folder.path("nothing")).code == 2)
    let short = folder.write(Array(contents(of: path).dropLast(100)), to: "short.safetensors")
    for command in ["validate", "inspect", "hash"] {
      let result = try Tool.run(command, short)
      #expect(result.code == 2)
      #expect((result.output + result.errors).contains("100 bytes short of what its header"))
    }
    #expect(try Tool.run("validate").code == 64)
    #expect(try Tool.run("validate", "--fail-on", "never", path).code == 64)
    let typo = try Tool.run("validte", path)
    #expect(typo.code == 64)
    #expect(typo.errors.contains("did you mean 'validate'?"))
  }

  @Test("a model that is named twice is listed once, and an unpacked one does not hide others")
  func spellings() throws {
    let path = try model("a.safetensors")
    _ = try model("unpacked", "--layout", "folder")
    let run = try Tool.run(
      "validate", "--json", path, folder.path + "/./a.safetensors", folder.path)
    let report = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
    #expect((report?["files"] as? [Any])?.count == 2)
  }

  @Test("a path that does not exist is answered with the nearest one that does")
  func neighbours() throws {
    let path = try model("model.safetensors")
    let wrong = folder.path("modle.safetensors")
    for command in [["inspect"], ["hash"], ["validate"], ["convert", "-o", folder.path("x")]] {
      let run = try Tool.run(command + [wrong])
      #expect(run.code == 2)
      #expect((run.output + run.errors).contains("did you mean '\(path)'?"), "\(command)")
    }
  }

  @Test("a folder of models is validated file by file, and a baseline accepts what is known")
  func folders() throws {
    _ = try model("a.safetensors")
    _ = try model("b.ckpt")
    _ = folder.write(Array("<html>".utf8), to: "c.safetensors")
    let result = try Tool.run("validate", folder.path)
    #expect(result.code == 2)
    #expect(result.output.contains("3 files: 2 with findings, 1 unreadable"))
    let baseline = folder.path("known.json")
    let path = folder.path("a.safetensors")
    #expect(try Tool.run("validate", "--write-baseline", baseline, path).code == 0)
    #expect(try Tool.run("validate", "--strict", "--baseline", baseline, path).code == 0)
  }

  @Test(
    "every format of a validation ends with the same code",
    arguments: ["text", "json", "sarif", "junit", "github", "markdown"])
  func formats(_ format: String) throws {
    let path = try model("a.safetensors")
    let result = try Tool.run("validate", "--expect", "sd15", "--format", format, path)
    #expect(result.code == 1)
    #expect(result.output.contains("SD0"))
    #expect(result.errors.isEmpty)
  }

  @Test("every rule can be explained")
  func rules() throws {
    let list = try Tool.run("rules", "--json")
    let rules = try #require(
      JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [[String: String]])
    #expect(rules.count > 100)
    #expect(Set(rules.compactMap { $0["id"] }).count == rules.count)
    let one = try Tool.run("rules", "ST024")
    #expect(one.code == 0)
    #expect(one.output.contains("interrupted download"))
  }
}
