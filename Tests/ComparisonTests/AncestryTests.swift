import Comparison
import JSON
import Merge
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

@Suite("Ancestry")
struct AncestryTests {
  private func merge(_ a: any TensorSource, _ b: any TensorSource, _ alpha: WeightSpecification)
    throws -> any TensorSource
  {
    var step = Recipe.Step("result", method: "weighted-sum", inputs: ["A", "B"])
    step.alpha = alpha
    let recipe = Recipe(models: ["A", "B"].map { Recipe.Model($0, path: $0) }, steps: [step])
    return try RecipePlan(recipe.checked(), models: ["A": a, "B": b], width: 2).result
  }

  @Test("Copies, merges and shared parts of a family are recognised", arguments: [1, 2])
  func family(width: Int) throws {
    let (base, other) = (tiny(1), tiny(2))
    let mixed = try merge(base, other, WeightSpecification(alpha: 0.3))
    let blocks = WeightSpecification(blocks: try BlockWeights("GRAD_V"), baseAlpha: 0)
    let weighted = try merge(base, other, blocks)
    let models: [any TensorSource] = [other, mixed, tiny(1, .f32), weighted, base, tiny(9)]
    let ancestry = try Ancestry.of(models, width: width)
    #expect(ancestry.copies.map(\.models) == [[2, 4]] && ancestry.copies.first?.isExact == false)
    #expect(ancestry.blends.map(\.model) == [1, 3])
    #expect(ancestry.blends.map(\.isBlockWeighted) == [false, true])
    let blend = try #require(ancestry.blends.first)
    #expect(abs(blend.weight - 0.3) < 1e-3 && blend.second == 0)
    #expect(Set(ancestry.sharedParts.map(\.component)) == Set(Component.allCases))
    let shared = try #require(ancestry.sharedParts.first { $0.component == .vae })
    #expect(shared.models == [2, 3, 4])
    #expect(ancestry.tree.count == models.count)
    #expect(Set(ancestry.tree.map(\.model)) == Set(models.indices))
    // What has little in common hangs from nothing.
    #expect(ancestry.tree.filter { $0.parent == nil }.contains { $0.model == 5 })
    let seen = ancestry.tree.map(\.model)
    for branch in ancestry.tree {
      guard let parent = branch.parent else { continue }
      let (above, below) = (seen.firstIndex(of: parent), seen.firstIndex(of: branch.model))
      #expect(try #require(above) < #require(below))
    }
  }

  @Test("Distances are symmetric, 0 for copies, and the same for any number of threads")
  func distances() throws {
    let models = [tiny(1), tiny(2), tiny(1)]
    let one = try Ancestry.of(models, hashes: false, width: 1)
    let two = try Ancestry.of(models, hashes: false, width: 3)
    for a in models.indices {
      for b in models.indices {
        #expect(one.distance(a, b) == one.distance(b, a))
        #expect(one.distance(a, b) == two.distance(a, b))
      }
    }
    #expect(one.distance(0, 2) == 0)
    #expect((one.distance(0, 1) ?? 0) > 1)
    #expect(one.copies.isEmpty && one.sharedParts.isEmpty)
    #expect(try one.json.serialized() == two.json.serialized())
  }

  @Test("One model has no relations, and a LoRA none to checkpoints")
  func refused() throws {
    #expect(throws: Fault.self) { try Ancestry.of([tiny(1)], width: 1) }
    let lora = SyntheticModel(preset: .loraTiny, seed: 1)
    let fault = #expect(throws: Fault.self) { try Ancestry.of([tiny(1), lora], width: 1) }
    #expect(fault?.rule == .differentKinds)
  }
}
