import Comparison
import JSON
import Merge
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

@Suite("Explanations of merges")
struct ExplanationTests {
  /// 26 weights that no rule gives.
  static let weights = [
    0.237, 0.913, 0.05, 0.337, 0.61, 0, 1, 0.75, 0.12, 0.331, 0.487, 0.999, 0.2, 0.3333333, 0.41,
    0.52, 0.63, 0.74, 0.85, 0.96, 0.07, 0.18, 0.29, 0.4, 0.51, 0.62,
  ]

  /// The result of a recipe with one step.
  private func merge(
    _ models: [any TensorSource], _ method: String, _ alpha: WeightSpecification,
    dialect: Dialect = .mbw
  ) throws -> any TensorSource {
    let names = ["A", "B", "C"].prefix(models.count)
    var step = Recipe.Step("result", method: method, inputs: Array(names))
    step.alpha = alpha
    step.dialect = dialect
    let recipe = Recipe(models: names.map { Recipe.Model($0, path: $0) }, steps: [step])
    let sources = Dictionary(uniqueKeysWithValues: zip(names, models))
    return try RecipePlan(recipe.checked(), models: sources, width: 2).result
  }

  @Test(
    "26 weights are recovered within a thousandth from F16 files",
    arguments: ["mbw", "supermerger-2023", "mecha", "chattiori"])
  func blockWeights(dialect: String) throws {
    let wanted = try #require(
      BlockWeights(base: Self.weights[0], blocks: Array(Self.weights.dropFirst())))
    let given = try Dialect(named: dialect)
    let specification = WeightSpecification(blocks: wanted)
    let result = try merge([tiny(1), tiny(2)], "weighted-sum", specification, dialect: given)
    let explanation = try MergeExplanation.explain(result, from: [tiny(1), tiny(2)], width: 2)
    #expect(explanation.fits && explanation.formula == .weightedSum)
    let truth = try specification.resolved(in: given)
    for (place, part) in explanation.places {
      let weight = try #require(part.fit.weight)
      guard case .weight(let expected) = truth.places[place] else {
        #expect(weight == 0 && part.quality == .equalsA)
        continue
      }
      #expect(abs(weight - expected) < 1e-3, "\(place)")
    }
    let recovered = explanation.recovered
    #expect(recovered.dialect == given && !recovered.isGlobal)
    let blocks = try #require(recovered.specification.blocks)
    #expect(zip(blocks.blocks, wanted.blocks).allSatisfy { abs($0 - $1) < 1e-4 })
    #expect(explanation.places[.in04]?.quality == .equalsA)
    #expect(explanation.places[.in05]?.quality == .equalsB)
  }

  @Test(
    "26 weights are recovered from models that differ little, as closely as is said",
    arguments: [0.1, 0.02])
  func smallDifference(share: Double) throws {
    let wanted = try #require(
      BlockWeights(base: Self.weights[0], blocks: Array(Self.weights.dropFirst())))
    let near = try merge([tiny(1), tiny(2)], "weighted-sum", WeightSpecification(alpha: share))
    let specification = WeightSpecification(blocks: wanted)
    let result = try merge([tiny(1), near], "weighted-sum", specification)
    let explanation = try MergeExplanation.explain(result, from: [tiny(1), near], width: 2)
    #expect(explanation.fits && explanation.recovered.dialect == .mbw)
    let truth = try specification.resolved(in: .mbw)
    for (place, part) in explanation.places {
      guard case .weight(let expected) = truth.places[place] else { continue }
      let weight = try #require(part.fit.weight), error = try #require(part.fit.uncertainty)
      #expect(abs(weight - expected) < 4 * error + 1e-6, "\(place)")
      if share == 0.1 { #expect(abs(weight - expected) < 1e-3, "\(place)") }
    }
  }

  @Test("The recipe that is written makes the result again, but for rounding")
  func recipe() throws {
    let wanted = try #require(
      BlockWeights(base: Self.weights[0], blocks: Array(Self.weights.dropFirst())))
    let models = [tiny(1), tiny(2)]
    let result = try merge(models, "weighted-sum", WeightSpecification(blocks: wanted))
    let explanation = try MergeExplanation.explain(result, from: models, width: 2)
    let recipe = try Recipe(yaml: explanation.recipe(paths: ["A", "B"]).yaml).checked()
    let again = try RecipePlan(
      recipe, models: ["A": models[0], "B": models[1]], width: 2
    ).result
    let difference = try ModelDifference.compare(result, again, width: 2)
    #expect(difference.exceeding(1e-3).isEmpty)
  }

  @Test("One weight for everything is told as one, for sums and differences")
  func global() throws {
    let models = [tiny(1), tiny(2), tiny(3)]
    let sum = try merge(Array(models.prefix(2)), "weighted-sum", WeightSpecification(alpha: 0.35))
    let ofTwo = try MergeExplanation.explain(sum, from: Array(models.prefix(2)), width: 1)
    #expect(ofTwo.recovered.isGlobal && ofTwo.recovered.specification.alpha == 0.35)
    // Also when a third model is named that took no part.
    let ofThree = try MergeExplanation.explain(sum, from: models, width: 2)
    #expect(ofThree.formula == .weightedSum && ofThree.recovered.specification.alpha == 0.35)
    let added = try merge(models, "add-difference", WeightSpecification(alpha: 0.7))
    let difference = try MergeExplanation.explain(added, from: models, width: 2)
    #expect(difference.formula == .addDifference && difference.fits)
    #expect(difference.recovered.isGlobal && difference.recovered.specification.alpha == 0.7)
  }

  @Test("A classic preset is called by its name")
  func preset() throws {
    let specification = WeightSpecification(blocks: try BlockWeights("GRAD_V"), baseAlpha: 0.1)
    let models = [tiny(1), tiny(2)]
    let result = try merge(models, "weighted-sum", specification)
    let explanation = try MergeExplanation.explain(result, from: models, width: 2)
    #expect(explanation.recovered.preset == "GRAD_V")
    let yaml = explanation.recipeFile(paths: ["A", "B"])
    #expect(yaml.hasPrefix("recipe:") && yaml.contains("mbw: GRAD_V"))
    let recipe = try Recipe(yaml: yaml).checked()
    let again = try RecipePlan(
      recipe, models: ["A": models[0], "B": models[1]], width: 2
    ).result
    #expect(try ModelDifference.compare(result, again, width: 2).exceeding(1e-3).isEmpty)
  }

  @Test("A damaged result is not explained silently")
  func damaged() throws {
    let models = [tiny(1), tiny(2)]
    let result = try merge(models, "weighted-sum", WeightSpecification(alpha: 0.35))
    let names = result.tensors.map(\.name).filter { $0.string.contains("middle_block") }
    var damaged = DamagedSource(result)
    damaged.spoiled = [names[0]]
    let spoiled = try MergeExplanation.explain(damaged, from: models, width: 2)
    #expect(!spoiled.fits && spoiled.skipped.map(\.reason) == [.nonFinite])
    #expect(spoiled.recovered.specification.alpha == 0.35)
    #expect(spoiled.markdown().contains("but not 1 tensor with NaN or infinities"))
    damaged.spoiled = []
    damaged.removed = [names[1], names[2]]
    let partial = try MergeExplanation.explain(damaged, from: models, width: 2)
    #expect(!partial.fits && partial.skipped.map(\.reason) == [.missing, .missing])
    #expect(partial.recipeFile(paths: ["A", "B"]).contains("2 tensors missing in RESULT"))
    // What is not a number is not the same as the other model's numbers.
    var nothing = DamagedSource(tiny(2))
    nothing.spoiled = Set(nothing.tensors.map(\.name))
    let fault = #expect(throws: Fault.self) {
      try MergeExplanation.explain(result, from: [tiny(1), nothing], width: 2)
    }
    #expect(fault?.message.contains("NaN") == true)
  }

  @Test("An unrelated model is not explained, and equal inputs explain nothing")
  func poor() throws {
    let models = [tiny(1), tiny(2)]
    let explanation = try MergeExplanation.explain(tiny(3), from: models, width: 2)
    #expect(!explanation.fits && explanation.places.values.allSatisfy { $0.quality == .poor })
    #expect(!explanation.outliers.isEmpty)
    #expect(throws: Fault.self) {
      try MergeExplanation.explain(tiny(3), from: [tiny(1), tiny(1)], width: 2)
    }
  }
}
