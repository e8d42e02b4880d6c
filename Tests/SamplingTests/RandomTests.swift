import JSON
import Sampling
import TestSupport
import Testing

/// Random numbers against torch.randn and the web UIs' Philox; see fixtures/sampling/make.py.
@Suite("Random numbers")
struct RandomTests {
  private let expected: JSONValue

  init() throws {
    expected = try JSONValue(parsing: contents(of: Fixtures.path("sampling/random.json")))
  }

  @Test("calls of all lengths give the numbers of PyTorch", arguments: NoiseKind.allCases)
  func calls(_ kind: NoiseKind) throws {
    for entry in try #require(expected[kind.rawValue]?.object) {
      var generator = NoiseGenerator(kind, seed: try #require(UInt64(entry.key)))
      for call in try #require(entry.value.array) {
        let wanted = try #require(call.array).compactMap { $0.double }
        let made = generator.normals(wanted.count)
        try #require(made.count == wanted.count)
        for (a, b) in zip(made, wanted) {
          #expect(abs(Double(a) - b) <= 2e-6, "seed \(entry.key), \(wanted.count) values")
        }
      }
    }
  }

  @Test("the noise of a picture of 512 × 512 agrees to its end")
  func picture() throws {
    let picture = try #require(expected["picture"])
    var noise = TorchNoise(seed: UInt64(try #require(picture["seed"]?.integer)))
    let made = noise.normals(try #require(picture["count"]?.integer))
    let wanted = try #require(picture["last"]?.array).compactMap { $0.double }
    for (a, b) in zip(made.suffix(8), wanted) { #expect(abs(Double(a) - b) <= 2e-6) }
  }

  @Test("the twister gives the ten-thousandth number that its standard asks for")
  func twister() {
    // C++ [rand.predef]: the 10000th number of mt19937 with its default seed.
    var twister = MersenneTwister(seed: 5489)
    for _ in 1..<10_000 { _ = twister.next() }
    #expect(twister.next() == 4_123_659_995)
  }
}
