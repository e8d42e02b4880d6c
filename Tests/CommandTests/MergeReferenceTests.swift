import Foundation
import TestSupport
import Testing

/// Whole models merged by the program and by PyTorch, see `fixtures/merge/models.py`.
@Suite("Merges of models against PyTorch")
struct MergeReferenceTests {
  /// The content ids by the name of the merge.
  static let expected: [String: String] = {
    let text = String(decoding: contents(of: Fixtures.path("merge/models.tsv")), as: UTF8.self)
    let rows = text.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
    return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
  }()

  /// `WEIGHTS` of the script: BASE, IN00 to IN11, M00, OUT00 to OUT11.
  private static let weights =
    "0.35,1,0,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1,0.55,0,0.05,0.15,0.25,0.45,0.65,0.75,0.85,"
    + "0.95,-0.1,1.1,0.12"

  private static let merges: [(label: String, inputs: String, options: [String])] = [
    ("weighted-sum 0.3", "12", ["--alpha", "0.3"]),
    ("weighted-sum 0.7", "12", ["--alpha", "0.7"]),
    ("weighted-sum 0.3 f32", "12", ["--alpha", "0.3", "--dtype", "f32"]),
    ("weighted-sum 0.3 bf16", "12", ["--alpha", "0.3", "--dtype", "bf16"]),
    ("mixed 0.4", "1m", ["--alpha", "0.4"]),
    ("mbw", "12", ["--mbw", weights]),
    ("add-difference 0.6", "123", ["--method", "add-difference", "--alpha", "0.6"]),
    ("add-difference 1", "123", ["--method", "add-difference", "--alpha", "1"]),
    ("inpainting first", "w1", ["--alpha", "0.3"]),
    ("inpainting second", "1w", ["--alpha", "0.3"]),
    ("inpainting plus", "w23", ["--method", "add-difference", "--alpha", "1"]),
  ]

  @Test(
    "every value has the bits that PyTorch gives it",
    arguments: ["f16", "bf16", "f32"], ["webui", "lerp", "exact"])
  func models(dtype: String, arithmetic: String) throws {
    let folder = TemporaryFolder()
    let sources = [
      "1": ("1", dtype, "sd15-tiny"), "2": ("2", dtype, "sd15-tiny"),
      "3": ("3", dtype, "sd15-tiny"), "w": ("4", dtype, "sd15-tiny-inpainting"),
      "m": ("2", dtype == "f32" ? "f16" : "f32", "sd15-tiny"),
    ]
    for (name, (seed, type, preset)) in sources {
      let made = try Tool.run(
        "synth", "--preset", preset, "--seed", seed, "--dtype", type, "-o",
        folder.path(name + ".safetensors"), "--quiet")
      #expect(made.code == 0)
    }
    let output = folder.path("out.safetensors")
    for merge in Self.merges {
      let inputs = merge.inputs.map { folder.path("\($0).safetensors") }
      let run = try Tool.run(
        ["merge"] + inputs + merge.options
          + ["--arithmetic", arithmetic, "-o", output, "--force", "--quiet"])
      #expect(run.code == 0, "\(run.errors)")
      let hashed = try Tool.run("hash", "--content", "--json", output)
      let object = try JSONSerialization.jsonObject(with: Data(hashed.output.utf8))
      let id = (object as? [String: Any])?["content_id"] as? String
      let name = "\(dtype) \(arithmetic) \(merge.label)"
      #expect(id == Self.expected[name], "\(name)")
    }
  }

  @Test("the fixture holds every merge that is compared, and no other")
  func complete() {
    #expect(Self.expected.count == 9 * Self.merges.count)
  }
}
