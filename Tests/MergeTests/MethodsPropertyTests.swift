import Merge
import Tensors
import Testing

@Suite("Properties of the merge methods")
struct MethodsPropertyTests {
  @Test("a method that needs elements only gives the same bits in chunks", arguments: methodNames)
  func chunks(name: String) throws {
    let method = try MergeMethods.named(name)
    guard method.reach == .elements else { return }
    let shape = [7, 5, 3, 3]
    let count = 315
    let models = (0..<method.sampleCount).map { SplitMix.values(count, seed: UInt64($0)) }
    let settings = MergeSettings(defaultsOf: method)
    let whole = method.result(models, shape: shape, settings)
    for size in [1, 2, 13, 100] {
      var chunks: [Float] = []
      for start in stride(from: 0, to: count, by: size) {
        let part = models.map { Array($0[start..<min(start + size, count)]) }
        chunks += method.result(
          Operands(copying: part), MergedTensor(name: "weight", shape: shape, first: start),
          settings)
      }
      #expect(chunks.map(\.bitPattern) == whole.map(\.bitPattern), "chunks of \(size)")
    }
  }

  @Test("finite inputs of any kind give finite results", arguments: methodNames)
  func finite(name: String) throws {
    let method = try MergeMethods.named(name)
    guard name != "geometric-real" else { return }
    let shapes = [[], [1], [0], [0, 4], [3, 0], [6], [2, 3], [6, 1], [1, 6], [2, 3, 1, 1]]
    let kinds: [(Int) -> Float] = [
      { _ in 0 }, { _ in -0.0 }, { _ in 1 }, { model in Float(model) }, { model in -Float(model) },
      { model in model == 0 ? 1 : -1 }, { model in model == 0 ? 0 : 1 },
      { model in model % 2 == 0 ? 1e-38 : -1e-38 },
      { model in model == 1 ? .leastNonzeroMagnitude : 0 },
    ]
    for arithmetic in method.hasDialects ? Arithmetic.allCases : [.exact] {
      for alpha in [0, 0.25, 1] {
        var settings = MergeSettings(defaultsOf: method)
        settings.alpha = alpha
        settings.arithmetic = arithmetic
        for shape in shapes {
          for kind in kinds {
            let models = (0..<method.sampleCount).map { model in
              [Float](repeating: kind(model), count: shape.reduce(1, *))
            }
            let tensor = MergedTensor(name: "weight", shape: shape)
            let operands = Operands(copying: models)
            if let surveying = method as? any SurveyingMergeMethod {
              settings.survey = surveying.conclude(surveying.survey(operands, tensor: tensor))
            }
            let result = method.result(operands, tensor, settings)
            #expect(result.count == models[0].count)
            #expect(result.allSatisfy { $0.isFinite }, "\(shape) \(models) \(settings)")
          }
        }
      }
    }
  }

  @Test(
    "values that are not finite, or barely, are computed without a trap", arguments: methodNames)
  func extremes(name: String) throws {
    let method = try MergeMethods.named(name)
    let kinds: [Float] = [.nan, -.nan, .infinity, -.infinity, .greatestFiniteMagnitude, 0, -1]
    var random = SplitMix(state: 8)
    for round in 0..<20 {
      let models = (0..<method.sampleCount).map { _ in
        (0..<60).map { _ in kinds.randomElement(using: &random) ?? 0 }
      }
      var settings = MergeSettings(defaultsOf: method)
      settings.alpha = Double(round) / 19
      if let surveying = method as? any SurveyingMergeMethod {
        let operands = Operands(copying: models)
        let tensor = MergedTensor(name: "weight", shape: [6, 10])
        settings.survey = surveying.conclude(surveying.survey(operands, tensor: tensor))
      }
      let result = method.result(models, shape: [6, 10], settings)
      #expect(
        result.map(\.bitPattern)
          == method.result(models, shape: [6, 10], settings).map(\.bitPattern))
    }
  }

  @Test("an input that is passed through is what the method computes", arguments: methodNames)
  func passthrough(name: String) throws {
    let method = try MergeMethods.named(name)
    let models = (0..<method.sampleCount).map { SplitMix.values(60, seed: UInt64($0) + 9) }
    for arithmetic in Arithmetic.allCases {
      for alpha in [0, 0.5, 1] {
        for beta in [0, 0.5, 1] {
          var settings = MergeSettings(defaultsOf: method)
          (settings.alpha, settings.beta, settings.arithmetic) = (alpha, beta, arithmetic)
          guard let index = method.passthrough(settings) else { continue }
          let result = method.result(models, shape: [6, 10], settings)
          for (x, y) in zip(result, models[index]) {
            #expect(abs(x - y) <= 1e-6, "\(settings)")
          }
        }
      }
    }
  }

  @Test("models that are equal give themselves", arguments: methodNames)
  func equal(name: String) throws {
    let method = try MergeMethods.named(name)
    let values = SplitMix.values(60, seed: 3).map(\.magnitude)
    // A mean of equal values is rounded where a power or an angle is in it.
    let tolerance: Float = ["geometric", "geometric-real"].contains(name) ? 1e-6 : 0
    let result = method.result(
      Array(repeating: values, count: method.sampleCount), shape: [6, 10])
    if name.hasPrefix("top-k") { return }
    for (x, y) in zip(result, values) { #expect(abs(x - y) <= tolerance) }
  }

  @Test("exact sums are rounded once to the type of the output")
  func rounding() throws {
    // 1 + 2⁻¹¹ is a tie between two halves, and a little more must go up.
    let tie: Float = 1 + 0x1p-11
    let method = try MergeMethods.named("add-difference")
    var settings = MergeSettings(defaultsOf: method)
    settings.alpha = 1
    let operands = Operands(copying: [[tie], [0x1p-30], [0]])
    let narrow = method.result(
      operands, MergedTensor(name: "weight", shape: [1], output: .f16), settings)
    #expect(Float(Float16(narrow[0])) == 1 + 0x1p-10)
    let wide = method.result(
      operands, MergedTensor(name: "weight", shape: [1], output: .f32), settings)
    #expect(wide[0] == tie)
  }

  @Test("tensors and models of one shape get different masks, and the seed changes them")
  func masks() throws {
    let method = try MergeMethods.named("dare-linear")
    let base = [Float](repeating: 0, count: 400)
    let ones = [Float](repeating: 1, count: 400)
    func mask(_ name: TensorName, seed: UInt64, model: Int) -> [Float] {
      var settings = MergeSettings(defaultsOf: method)
      settings.seed = seed
      settings.weights = model == 0 ? [1, 0] : [0, 1]
      return method.result([base, ones, ones], name: name, settings)
    }
    let masks = [
      mask("a", seed: 0, model: 0), mask("b", seed: 0, model: 0), mask("a", seed: 1, model: 0),
      mask("a", seed: 0, model: 1),
    ]
    for (i, first) in masks.enumerated() {
      #expect((140...260).contains(first.count { $0 != 0 }))
      #expect(first.allSatisfy { $0 == 0 || $0 == 2 })
      for second in masks[(i + 1)...] { #expect(first != second) }
    }
  }

  @Test("frequencies cross over for lengths with small, large and huge factors")
  func crossover() throws {
    let method = try MergeMethods.named("distribution-crossover")
    for n in [1, 2, 3, 48, 97, 386, 802, 1009] {
      let (a, b) = (SplitMix.values(n, seed: 1), SplitMix.values(n, seed: 2))
      let c = (0..<n).map { Float($0) }
      var settings = MergeSettings(defaultsOf: method)
      (settings.alpha, settings.beta) = (0.4, 0.5)
      let found = method.result([a, b, c], settings)
      // The definition: a sum over all frequencies of the difference.
      let turns = (0..<n).map { Library.cos(2 * .pi * Double($0) / Double(n)) }
      let weights = (0..<n).map { k in
        min(1, max(0, (Double(min(k, n - k)) / Double(n / 2 + 1) - 0.4) / 0.5 + 0.5))
      }
      let kernel = (0..<n).map { j in
        (0..<n).reduce(0.0) { $0 + weights[$1] * turns[$1 * j % n] } / Double(n)
      }
      for i in 0..<n {
        let step = (0..<n).reduce(0.0) {
          $0 + kernel[(i - $1 + n) % n] * Double(b[$1] - a[$1])
        }
        #expect(abs(Double(found[i]) - Double(a[i]) - step) < 1e-6, "\(n)")
      }
    }
  }
}
