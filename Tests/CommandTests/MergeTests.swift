import Foundation
import TestSupport
import Testing

@Suite("sdtool merge")
struct MergeTests {
  private let folder = TemporaryFolder()

  /// A synthetic model with narrow layers.
  private func model(_ name: String, seed: Int, _ options: String...) throws -> String {
    let path = folder.path(name)
    let made = try Tool.run(
      ["synth", "--preset", "sd15-tiny", "--seed", "\(seed)", "-o", path, "--quiet"] + options)
    #expect(made.code == 0, "\(made.errors)")
    return path
  }

  private func merge(_ arguments: String...) throws -> Tool.Result {
    let run = try Tool.run(["merge", "--quiet"] + arguments)
    #expect(run.code == 0, "\(run.errors)")
    return run
  }

  private func json(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  /// The content ids of models.
  private func ids(_ paths: String...) throws -> Set<String> {
    var ids = Set<String>()
    for path in paths {
      let hashed = try Tool.run("hash", "--content", "--json", path)
      ids.insert(try json(hashed.output)["content_id"] as? String ?? path)
    }
    return ids
  }

  private func metadata(_ path: String) throws -> [String: String] {
    try #require(
      json(Tool.run("inspect", "--json", path).output)["metadata"] as? [String: String])
  }

  @Test(
    "the number of threads changes no byte",
    arguments: [
      ["--mbw", "GRAD_V"], ["--method", "slerp"], ["--method", "dare-linear", "--seed", "3"],
      ["--method", "cosine-a"], ["--arithmetic", "webui", "--dtype", "f32"],
    ])
  func threads(options: [String]) throws {
    let (a, b) = (try model("a.safetensors", seed: 1), try model("b.safetensors", seed: 2))
    var outputs: [[UInt8]] = []
    for threads in ["1", "8"] {
      let output = folder.path("out.safetensors")
      let run = try Tool.run(
        ["merge", a, b, "-o", output, "--force", "--quiet", "--threads", threads] + options)
      #expect(run.code == 0, "\(run.errors)")
      outputs.append(contents(of: output))
    }
    #expect(!outputs[0].isEmpty)
    let isSame = outputs[0] == outputs[1]
    #expect(isSame)
  }

  @Test("--verify ends with 0 for the same, 1 for a difference, 2 for an unreadable file")
  func verification() throws {
    let (a, b) = (try model("a.safetensors", seed: 1), try model("b.safetensors", seed: 2))
    let output = folder.path("c.safetensors")
    _ = try merge(a, b, "-o", output, "--alpha", "0.3")
    let same = try Tool.run("merge", "--verify", output, "--models", folder.path)
    #expect(same.code == 0, "\(same.errors)")
    #expect(same.output.contains("is what the recipe makes: 1,131 tensors"))
    var bytes = contents(of: output)
    bytes[bytes.count - 1] ^= 1
    let changed = folder.write(bytes, to: "changed.safetensors")
    let other = try Tool.run("merge", "--verify", changed, "--models", folder.path)
    #expect(other.code == 1)
    #expect(other.errors.contains("has other values [MX011]"))
    let report = try Tool.run("merge", "--verify", changed, "--models", folder.path, "--json")
    #expect(report.code == 1)
    let object = try json(report.output)
    #expect(object["same"] as? Bool == false)
    #expect((object["differences"] as? [[String: Any]])?.first?["rule"] as? String == "MX011")
    let short = folder.write(Array(bytes.dropLast(9)), to: "short.safetensors")
    #expect(try Tool.run("merge", "--verify", short, "--models", folder.path).code == 2)
  }

  @Test("types of single components are recorded, and repeated")
  func componentTypes() throws {
    let (a, b) = (try model("a.safetensors", seed: 1), try model("b.safetensors", seed: 2))
    let (output, again) = (folder.path("c.safetensors"), folder.path("d.safetensors"))
    _ = try merge(a, b, "-o", output, "--dtype", "unet=bf16,vae=f32")
    #expect(try metadata(output)["sdtool.recipe"]?.contains("\"vae\":\"f32\"") == true)
    _ = try merge("--replay", output, "--models", folder.path, "-o", again)
    #expect(try ids(output, again).count == 1)
    _ = try merge(
      "--replay", output, "--models", folder.path, "-o", again, "--force", "--dtype", "f16")
    #expect(try ids(output, again).count == 2)
  }

  @Test("a merge of merges is repeated from the first models, in every type and layout")
  func ancestors() throws {
    let a = try model("a.safetensors", seed: 1)
    let b = try model("b", seed: 2)
    let c = try model("c.ckpt", seed: 3, "--dtype", "f32")
    let (first, second) = (folder.path("first.safetensors"), folder.path("second"))
    _ = try merge(a, b, "-o", first, "--alpha", "0.3", "--dtype", "bf16,vae=f16")
    _ = try merge(first, c, a, "-o", second, "--method", "add-difference", "--alpha", "0.7")
    let (third, again) = (folder.path("third.safetensors"), folder.path("again.safetensors"))
    _ = try merge(second, b, "-o", third, "--mbw", "GRAD_A", "--vae", first)
    for gone in [first, second] { try FileManager.default.removeItem(atPath: gone) }
    let run = try merge("--replay", third, "--models", folder.path, "-o", again)
    #expect(run.errors.contains("is made of 'second', which is not there and is merged anew"))
    #expect(try ids(third, again).count == 1)
    #expect(try Tool.run("merge", "--verify", third, "--models", folder.path, "--quiet").code == 0)
    // The repeated file says the same of its making, and can be repeated itself.
    #expect(
      try Tool.run("merge", "--verify", again, "--models", folder.path, "--quiet").code == 0)
    try FileManager.default.removeItem(atPath: c)
    let missing = try Tool.run("merge", "--verify", third, "--models", folder.path)
    #expect(missing.code == 2)
    #expect(missing.errors.contains("c.ckpt with SHA-256"))
    #expect(missing.errors.contains("name the folder that holds it with --models"))
  }

  @Test("folders and shards are pinned, found and checked by one hash wherever they lie")
  func folders() throws {
    let a = try model("a", seed: 1)
    let b = try model("b.safetensors", seed: 2)
    let output = folder.path("c.safetensors")
    _ = try merge(a, b, "-o", output)
    let locked = try merge(a, b, "--lock").output
    try FileManager.default.createDirectory(
      atPath: folder.path("elsewhere"), withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: a, toPath: folder.path("elsewhere/renamed"))
    let run = try Tool.run("merge", "--verify", output, "--models", folder.path, "--quiet")
    #expect(run.code == 0, "\(run.errors)")
    // Another file in the folder's second component makes it another model.
    try FileManager.default.moveItem(atPath: folder.path("elsewhere/renamed"), toPath: a)
    let recipe = folder.write(Array(locked.utf8), to: "recipe.yaml")
    #expect(try Tool.run("merge", "--recipe", recipe, "-o", output, "--force").code == 0)
    let weights = a + "/vae/diffusion_pytorch_model.safetensors"
    var bytes = contents(of: weights)
    bytes[bytes.count - 1] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: weights))
    let changed = try Tool.run("merge", "--recipe", recipe, "-o", output, "--force")
    #expect(changed.code == 2)
    #expect(changed.errors.contains("is not the model 'A' of the recipe: expected SHA-256"))
  }

  @Test("a recipe without a step stores one model in other types, without some tensors")
  func copy() throws {
    let (a, v) = (try model("a.safetensors", seed: 1), try model("v.safetensors", seed: 2))
    let recipe = folder.write(
      Array(
        """
        recipe: 1
        models: {A: a.safetensors, V: v.safetensors}
        output: {dtype: {unet: f32}, vae: V, discard: "^cond_stage_model"}
        """.utf8), to: "recipe.yaml")
    let output = folder.path("out.safetensors"), expected = folder.path("expected.safetensors")
    let run = try Tool.run("merge", "--recipe", recipe, "-o", output)
    #expect(run.code == 0, "\(run.errors)")
    #expect(
      try Tool.run(
        "convert", a, "--vae", v, "--dtype", "unet=f32", "--discard", "^cond_stage_model", "-o",
        expected
      ).code == 0)
    #expect(try ids(output, expected).count == 1)
    #expect(
      try metadata(output)["sd_merge_recipe"]?.contains("\"interp_method\": \"No interpolation\"")
        == true)
    #expect(try Tool.run("merge", "--verify", output, "--models", folder.path, "--quiet").code == 0)
  }

  @Test("the web UI's record of a merge of merges is repeated from the first models")
  func webUI() throws {
    let (a, b) = (try model("a.safetensors", seed: 1), try model("b.safetensors", seed: 2))
    let c = try model("c.safetensors", seed: 3)
    let (first, second) = (folder.path("m.safetensors"), folder.path("n.safetensors"))
    _ = try merge(a, b, "-o", first, "--alpha", "0.3", "--arithmetic", "webui")
    _ = try merge(first, c, "-o", second, "--alpha", "0.25", "--arithmetic", "webui")
    // The same file with what the web UI would have written, and nothing of ours.
    let foreign = try onlyWebUI(second, to: "foreign.safetensors")
    try FileManager.default.removeItem(atPath: first)
    try FileManager.default.removeItem(atPath: second)
    let run = try Tool.run("merge", "--verify", foreign, "--models", folder.path)
    #expect(run.code == 0, "\(run.errors)")
    #expect(run.errors.contains("is made of 'm', which is not there"))
  }

  /// A copy of a safetensors file without the metadata whose keys begin with `sdtool`.
  private func onlyWebUI(_ path: String, to name: String) throws -> String {
    let bytes = contents(of: path)
    let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = Data(bytes[8..<8 + length])
    var object = try #require(
      try JSONSerialization.jsonObject(with: header) as? [String: [String: Any]])
    object["__metadata__"] = object["__metadata__"]?.filter { !$0.key.hasPrefix("sdtool") }
    var text = Array(try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]))
    while text.count % 8 != 0 { text.append(0x20) }
    let count = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return folder.write(count + text + bytes[(8 + length)...], to: name)
  }

  @Test("--plan reads headers only, writes nothing, and fails where the merge would")
  func plan() throws {
    let (a, b) = (try model("a.safetensors", seed: 1), try model("b.safetensors", seed: 2))
    let output = folder.path("c.safetensors")
    let good = try Tool.run("merge", a, b, "--plan", "-o", output, "--dtype", "f32", "--json")
    #expect(good.code == 0)
    let report = try json(good.output)
    #expect(report["merged"] as? Int == 1130)
    #expect((report["weights"] as? [String: Any]) != nil || report["weights"] is [Any])
    #expect((report["casts"] as? [[String: Any]])?.first?["to"] as? String == "F32")
    #expect(!FileManager.default.fileExists(atPath: output))
    let lora = folder.path("lora.safetensors")
    #expect(try Tool.run("synth", "--preset", "lora-tiny", "-o", lora).code == 0)
    let bad = try Tool.run("merge", a, lora, "--plan", "--json")
    #expect(bad.code == 2)
    #expect((try json(bad.output)["problems"] as? [[String: Any]])?.isEmpty == false)
  }

  @Test("a model that predicts the velocity stays one in a folder, and back in a file")
  func velocity() throws {
    let a = try model("a", seed: 1), b = try model("b.safetensors", seed: 2)
    let scheduler = a + "/scheduler/scheduler_config.json"
    let usual = String(decoding: contents(of: scheduler), as: UTF8.self)
    #expect(!usual.contains("prediction_type"))
    try Data(#"{"prediction_type": "v_prediction"}"#.utf8)
      .write(to: URL(fileURLWithPath: scheduler))
    let file = folder.path("file.safetensors"), merged = folder.path("merged")
    #expect(try Tool.run("convert", a, "-o", file).code == 0)
    #expect(try metadata(file)["modelspec.prediction_type"] == "v")
    _ = try merge(file, b, "-o", merged)
    let made = String(
      decoding: contents(of: merged + "/scheduler/scheduler_config.json"), as: UTF8.self)
    #expect(made.contains(#""prediction_type": "v_prediction""#))
    #expect(made.contains("PNDMScheduler"))
  }

  @Test("mbw prints every place, in each dialect; --json too")
  func mbw() throws {
    let text = try Tool.run("mbw", "--mbw", "GRAD_V", "--block", "CLIP=0.2")
    #expect(text.code == 0)
    for place in ["CLIP", "VAE", "TIME", "IN00", "M00", "OUT11", "OUT "] {
      #expect(text.output.contains("\n\(place)"), "\(place)")
    }
    let time = ["mbw": "1", "supermerger-2023": "0"]
    let weights = ([1] + Array(repeating: 0, count: 24)).map(String.init).joined(separator: ",")
    for (dialect, weight) in time {
      let run = try Tool.run("mbw", "--mbw", weights, "--mbw-dialect", dialect)
      let line = run.output.split(separator: "\n").first { $0.hasPrefix("TIME") }
      #expect(line?.split(separator: " ").dropFirst().first.map(String.init) == weight)
    }
    let report = try Tool.run("mbw", "--mbw", "GRAD_V", "--json")
    #expect(try JSONSerialization.jsonObject(with: Data(report.output.utf8)) is [String: Any])
  }
}
