import Checkpoint
import LoRA
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

/// What other programs make of DoRA, as fixtures/lora/compat_files.py writes it down.
@Suite("Behaviours of other programs")
struct CompatibilityTests {
  static let cases: [[String]] = {
    let text = String(decoding: contents(of: Fixtures.path("lora/compat.tsv")), as: UTF8.self)
    return text.split(separator: "\n").dropFirst().map { line in
      line.split(separator: "\t").map(String.init)
    }
  }()

  @Test("weights are theirs within 1e-5 of the change", arguments: cases.indices)
  func weights(index: Int) throws {
    let (name, path) = (Self.cases[index][0], Self.cases[index][1])
    let behaviour = try #require(LoRACompatibility(rawValue: Self.cases[index][2]))
    let file = try LoRAFile(path: Fixtures.path("lora/\(path)"))
    let expected = try openModel(path: Fixtures.path("lora/\(name).expected.safetensors"))
    #expect(!expected.tensors.isEmpty)
    for (wanted, tensor) in expected.tensors.enumerated() {
      let parts = tensor.name.string.split(separator: "/", maxSplits: 1)
      var request = LoRAMergeRequest([LoRAUse(file, LoRAStrength(try #require(Double(parts[0]))))])
      request.compatibility = [behaviour]
      for component in Component.allCases { request.types[component] = .f32 }
      let merged = LoRAMergedSource(try LoRAMergePlan(base, request, width: 2))
      let position = try position(TensorName(String(parts[1])), in: merged)
      let before = try values(base, position), after = try values(merged, position)
      let theirs = try values(expected, wanted)
      var error = 0.0, change = 0.0
      for value in before.indices {
        let difference = Double(after[value]) - Double(theirs[value])
        let step = Double(theirs[value]) - Double(before[value])
        error += difference * difference
        change += step * step
      }
      #expect(change > 0)
      #expect(error.squareRoot() <= 1e-5 * change.squareRoot(), "\(name) \(tensor.name)")
    }
  }
}
