import Merge
import Tensors
import TestSupport
import Testing

@Suite("Numerics of the merge methods")
struct MethodsNumericsTests {
  @Test(
    "Philox gives the known answers of its authors",
    arguments: [
      (
        SIMD4<UInt32>(repeating: 0), SIMD2<UInt32>(repeating: 0),
        SIMD4<UInt32>(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8)
      ),
      (
        SIMD4<UInt32>(repeating: .max), SIMD2<UInt32>(repeating: .max),
        SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD)
      ),
      (
        SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344), SIMD2(0xA409_3822, 0x299F_31D0),
        SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1)
      ),
    ])
  func philox(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, expected: SIMD4<UInt32>) {
    #expect(Tensors.philox(counter, key: key) == expected)
  }

  @Test("powers, sines and arc cosines agree with the C library")
  func elementary() {
    var random = SplitMix(state: 4)
    for _ in 0..<20_000 {
      let x = Library.exp2(Double.random(in: -60...20, using: &random))
      let y = Double.random(in: 0...3, using: &random)
      let power = Library.pow(x, y)
      #expect(abs(Elementary.power(x, y) - power) <= 1e-13 * power)
      let angle = Double.random(in: -2 * .pi...2 * .pi, using: &random)
      #expect(abs(Elementary.sine(angle) - Library.sin(angle)) <= 1e-14)
      let cosine = Double.random(in: -1...1, using: &random)
      #expect(abs(Elementary.arcCosine(cosine) - Library.acos(cosine)) <= 1e-14)
    }
    #expect(Elementary.power(0, 0) == 1 && Elementary.power(0, 0.5) == 0)
    #expect(Elementary.arcCosine(-1) == .pi && Elementary.arcCosine(1) == 0)
  }

  @Test("a double becomes the number that a single rounding to the narrow type gives")
  func narrowing() {
    var random = SplitMix(state: 5)
    for _ in 0..<20_000 {
      let half = Float16(bitPattern: UInt16.random(in: 0...0x7BFE, using: &random))
      let middle = (Double(half) + Double(half.nextUp)) / 2
      for value in [middle.nextDown, middle, middle.nextUp] {
        let narrowed = Arithmetic.narrowed(value, for: .f16)
        #expect(Float16(narrowed) == Float16(value), "\(value)")
      }
    }
  }
}

@Suite("Choosing a merge method")
struct MethodsRegistryTests {
  @Test("methods are sorted by name, and names are plain")
  func names() {
    #expect(methodNames == methodNames.sorted() && Set(methodNames).count == methodNames.count)
    for name in methodNames {
      #expect(name.allSatisfy { $0 == "-" || $0.isASCII && ($0.isLowercase || $0.isNumber) })
    }
  }

  @Test("an unknown name is answered with the nearest one")
  func unknown() {
    let fault = #expect(throws: Fault.self) { try MergeMethods.named("weigthed-sum") }
    #expect(
      fault?.sentence == "there is no merge method 'weigthed-sum'; did you mean 'weighted-sum'?")
  }

  @Test("the defaults of every method are accepted", arguments: methodNames)
  func defaults(name: String) throws {
    let method = try MergeMethods.named(name)
    try method.check(inputs: method.sampleCount, settings: MergeSettings(defaultsOf: method))
  }

  @Test("a wrong number of models or weights, or a number out of range, is named")
  func faults() throws {
    func sentence(
      _ name: String, _ count: Int, _ change: (inout MergeSettings) -> Void = { _ in }
    ) throws -> String? {
      let method = try MergeMethods.named(name)
      var settings = MergeSettings(defaultsOf: method)
      change(&settings)
      let fault = #expect(throws: Fault.self) {
        try method.check(inputs: count, settings: settings)
      }
      return fault?.sentence
    }
    #expect(
      try sentence("weighted-sum", 3)
        == "method weighted-sum got the wrong number of models: expected 2, found 3; "
        + "it computes (1 − α)A + αB")
    #expect(
      try sentence("ties", 1)?.hasPrefix(
        "method ties got the wrong number of models: expected at least 2, found 1") == true)
    #expect(
      try sentence("ties", 3) { $0.weights = [1] }
        == "method ties got the wrong number of weights: expected 2, found 1; "
        + "one for each model but the base")
    #expect(
      try sentence("weighted-sum", 2) { $0.alpha = .nan }
        == "alpha is out of range for method weighted-sum: expected a finite number, found nan")
    #expect(
      try sentence("geometric", 2) { $0.alpha = 1.5 }
        == "alpha is out of range for method geometric: expected 0.0 to 1.0, found 1.5")
    #expect(
      try sentence("n-average", 2) { $0.weights = [1, -1] }
        == "the weights of method n-average have no sum to divide by: "
        + "expected a sum other than 0, found 0")
    #expect(
      try sentence("della", 2) { $0.density = 0.9 }?.hasPrefix(
        "epsilon is too large for the density") == true)
  }
}

@Suite("Documentation of the merge methods")
struct MethodsDocumentationTests {
  @Test("the table of the methods is made from the sources")
  func table() throws {
    #expect(try Script.run("method-table", "--check") == 0, "run Scripts/method-table --write")
  }

  @Test("every method is in the table, with the formula that the program prints")
  func rows() {
    let page = String(
      decoding: contents(of: Fixtures.root + "/docs/merge-methods.md"), as: UTF8.self)
    for method in MergeMethods.all {
      let formula = method.formula.split(separator: "|", omittingEmptySubsequences: false)
      let row = "| `\(method.name)` | \(formula.joined(separator: "\\|")) |"
      #expect(page.contains(row), "\(row)")
    }
  }
}
