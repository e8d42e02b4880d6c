import Merge
import StableDiffusion
import Synthesis
import Tensors
import Testing

@Suite("Merged models, computed as they are read")
struct ExecutionSourceTests {
  @Test("token positions are 0 to 76 in 64-bit integers, whatever the inputs hold")
  func positions() throws {
    let name = KnownExtra.positionIDsName
    let a = try EditedModel(seed: 1)
    var b = try EditedModel(seed: 2)
    try b.set(name, .f16, [1, 77], halves((0..<77).map { Float16($0) + 0.5 }))
    for models in [[a, b], [b, a]] {
      let merged = MergedSource(try plan(models), width: 1)
      let index = try #require(merged.tensors.firstIndex { $0.name == name })
      #expect(merged.tensors[index].dtype == .i64)
      var expected: [UInt8] = []
      for position: UInt8 in 0..<77 { expected += [position, 0, 0, 0, 0, 0, 0, 0] }
      #expect(try merged.bytes(of: index) == expected)
    }
  }

  @Test(
    "reading in parts gives the same bytes as reading at once",
    arguments: ["weighted-sum", "slerp", "cosine-a"])
  func parts(method: String) throws {
    let models = [try EditedModel(seed: 1), try EditedModel(seed: 2)]
    let merged = MergedSource(try plan(models, method: method), width: 2)
    let index = try #require(
      merged.tensors.firstIndex { $0.name == "model.diffusion_model.out.2.weight" })
    let whole = try merged.bytes(of: index)
    // An odd length, so that parts begin and end within values.
    var parts: [UInt8] = []
    while parts.count < whole.count {
      var part = [UInt8](repeating: 0, count: min(13, whole.count - parts.count))
      var span = part.mutableSpan
      var bytes = unsafe span.mutableBytes
      try merged.read(index, at: parts.count, into: &bytes)
      parts += part
    }
    #expect(parts == whole)
  }

  @Test("an infinite input is refused with model, tensor and position, or allowed")
  func nonFinite() throws {
    let a = try EditedModel(seed: 1, path: "a")
    var b = try EditedModel(seed: 2, path: "b")
    try b.set(outputBias, .f16, [4], halves([0, 0, .nan, 0]))
    let refused = MergedSource(try plan([a, b]), width: 1)
    #expect(
      throws: Fault(
        .mergeNonFinite, "holds a value that is not finite", path: "b", tensor: outputBias,
        expected: "finite numbers", found: "NaN at position 2",
        hint: "--allow-non-finite merges it as it is")
    ) { try refused.bytes(of: outputBias) }
    // Copies are looked at too.
    let copied = MergedSource(try plan([a, b], alpha: WeightSpecification(alpha: 1)), width: 1)
    #expect(throws: Fault.self) { try copied.bytes(of: outputBias) }
    let allowed = MergedSource(try plan([a, b]) { $0.allowsNonFinite = true }, width: 1)
    let values = halves(try allowed.bytes(of: outputBias))
    #expect(values[2].isNaN && values.count { $0.isFinite } == 3)
    #expect(allowed.values().map(\.remarks.nonFiniteCount) == [1])
  }

  @Test("a result too large for F16 is refused, clamped, or found so that it can be stored as F32")
  func overflow() throws {
    var a = try EditedModel(seed: 1)
    var b = try EditedModel(seed: 2)
    try a.set(outputBias, .f16, [4], halves([60000, -60000, 1, 0]))
    try b.set(outputBias, .f16, [4], halves([-60000, 60000, 1, 0]))
    let alpha = WeightSpecification(alpha: -1)
    let refused = MergedSource(try plan([a, b], alpha: alpha), width: 1)
    #expect {
      try refused.bytes(of: outputBias)
    } throws: { error in
      (error as? Fault)?.rule == .mergeOverflow && (error as? Fault)?.tensor == outputBias
    }
    let clamped = MergedSource(
      try plan([a, b], alpha: alpha) { $0.overflow = .clamp }, width: 1)
    #expect(halves(try clamped.bytes(of: outputBias)) == [65504, -65504, 1, 0])
    #expect(clamped.values().map(\.remarks.clampedCount) == [2])
    let found = try refused.overflowingTensors(width: 2)
    #expect(found.map { refused.tensors[$0].name } == [outputBias])
    let wide = MergedSource(refused.plan.storingSingles(found), width: 1)
    #expect(floats(try wide.bytes(of: outputBias)) == [180000, -180000, 1, 0])
  }

  @Test(
    "the first convolution of an inpainting model merges the channels of the latent, either way round"
  )
  func inpainting() throws {
    let plain = try EditedModel(seed: 1)
    var wide = try EditedModel(seed: 2)
    let shape = plain.tensors[plain.position(firstConvolution)].shape
    let count = shape[0] * 9 * 9
    let values = (0..<count).map { Float16(Float($0) / 1024) }
    try wide.set(firstConvolution, .f16, [shape[0], 9, 3, 3], halves(values))
    let narrow = halves(plain.values[plain.position(firstConvolution)])
    for (models, sign) in [([plain, wide], Float(1)), ([wide, plain], -1)] {
      let merged = MergedSource(
        try plan(models, alpha: WeightSpecification(alpha: 0.25)), width: 1)
      let result = halves(try merged.bytes(of: firstConvolution))
      #expect(result.count == count)
      for row in 0..<shape[0] {
        for channel in 0..<9 {
          for position in 0..<9 {
            let index = (row * 9 + channel) * 9 + position
            let other = Float(values[index])
            guard channel < 4 else {
              #expect(result[index] == values[index])
              continue
            }
            let own = Float(narrow[(row * 4 + channel) * 9 + position])
            let expected = sign > 0 ? own + 0.25 * (other - own) : other + 0.25 * (own - other)
            #expect(result[index] == Float16(expected))
          }
        }
      }
      let kept = MergedSource(try plan(models) { $0.convIn = .keep }, width: 1)
      #expect(halves(try kept.bytes(of: firstConvolution)) == values)
      #expect(try plan(models) { $0.convIn = .error }.problems.map(\.rule) == [.mergeShape])
    }
  }

  @Test("a recipe of two steps gives what float32 arithmetic gives, rounded once")
  func recipe() throws {
    let yaml = """
      recipe: 1
      models: {A: a, B: b, C: c}
      steps:
        - {name: first, method: weighted-sum, models: [A, B], alpha: 0.25}
        - {name: second, method: weighted-sum, models: [first, C], alpha: 0.5}
      """
    let models = try (1...3).map { try EditedModel(seed: $0) }
    let recipe = try RecipePlan(
      Recipe(yaml: yaml), models: ["A": models[0], "B": models[1], "C": models[2]], width: 1)
    #expect(recipe.problems.isEmpty)
    let index = models[0].position(outputBias)
    let values = models.map { halves($0.values[index]).map { Float($0) } }
    let expected = values[0].indices.map { i in
      let first = Float(Double(values[0][i]) + 0.25 * (Double(values[1][i]) - Double(values[0][i])))
      return Float16((first + values[2][i]) / 2)
    }
    #expect(halves(try recipe.result.bytes(of: outputBias)) == expected)
  }

  @Test("a changed value, a missing and an additional tensor are found by comparing")
  func verification() throws {
    let models = [try EditedModel(seed: 1), try EditedModel(seed: 2)]
    let merged = MergedSource(try plan(models), width: 2)
    var copy = models[0]
    copy.tensors = merged.tensors
    copy.values = try merged.tensors.indices.map { try merged.bytes(of: $0) }
    #expect(try merged.differences(from: copy, width: 2).isEmpty)
    copy.values[copy.position(vaeBias)][0] ^= 1
    copy.remove(outputBias)
    try copy.set("my.own", .f16, [1], halves([1]))
    #expect(
      try merged.differences(from: copy, width: 2).map(\.sentence) == [
        "'\(outputBias)' is missing", "'\(vaeBias)' has other values",
        "'my.own' is not in the merge",
      ])
  }
}
