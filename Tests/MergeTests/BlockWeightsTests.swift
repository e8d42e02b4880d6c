import Merge
import StableDiffusion
import Tensors
import Testing

private func zeros(_ count: Int) -> String {
  Array(repeating: "0", count: count).joined(separator: ",")
}

@Suite("Block weights")
struct BlockWeightsTests {
  private func sentence(_ text: String) -> String? {
    fault { () throws(Fault) in _ = try BlockWeights(text) }?.sentence
  }

  @Test("25 numbers are the blocks', 26 begin with BASE; spaces and signs are allowed")
  func counts() throws {
    let short = try BlockWeights(" -0.5 , 1e-1,+2, " + zeros(22))
    #expect(short.base == nil)
    #expect(short.blocks.prefix(4) == [-0.5, 0.1, 2, 0])
    let long = try BlockWeights("0.25," + zeros(12) + ",0.5," + zeros(11) + ",1")
    #expect(long.base == 0.25)
    #expect(long[.m00] == 0.5)
    #expect(long[.out11] == 1)
    #expect(long[.time] == nil)
    #expect(try BlockWeights(long.list) == long)
  }

  private static let wrongCounts: [(list: String, end: String)] = [
    (zeros(24), "found 24 values; the list ends with the value for OUT10, or for OUT09 if it"),
    (zeros(10) + ",," + zeros(10), "found 21 values; position 11 is empty"),
    (zeros(5) + ",0.5 0.5," + zeros(18), "found 24 values; position 6 holds '0.5 0.5': a comma"),
    (zeros(5) + ",25," + zeros(30), "found 36 values; position 6 is 25: is a comma meant"),
    (zeros(20) + ",x," + zeros(10), "found 31 values; position 21 is 'x', which is no number"),
    (zeros(28), "found 28 values; there are 2 too many"),
    (zeros(500), "found more than 100"),
  ]

  @Test(
    "a wrong count says how many, how many there should be, and where it looks wrong",
    arguments: wrongCounts.indices)
  func wrongCount(index: Int) {
    let (list, end) = Self.wrongCounts[index]
    let text = sentence(list)
    let prefix =
      "has the wrong number of block weights: expected 25 (IN00 to OUT11) or 26 (BASE first), "
    #expect(text?.hasPrefix(prefix + end) == true, "\(text ?? "")")
  }

  @Test(
    "what is not a decimal number is named with position and block",
    arguments: [
      ("x", "position 3 (IN02): expected a weight such as 0.25, found 'x'"),
      ("nan", "position 3 (IN02): expected a weight such as 0.25, found 'nan'"),
      ("0x1", "position 3 (IN02): expected a weight such as 0.25, found '0x1'"),
      ("1e999", "position 3 (IN02): expected a weight such as 0.25, found '1e999'"),
      ("", "position 3 (IN02): expected a weight such as 0.25, found nothing"),
    ])
  func syntax(entry: String, message: String) {
    #expect(sentence("0,0,\(entry)," + zeros(22)) == "has no number at " + message)
  }

  @Test("random weights are refused", arguments: ["R", "U", "X"])
  func random(letter: String) {
    let fault = fault { () throws(Fault) in _ = try BlockWeights("0,\(letter)," + zeros(24)) }
    #expect(fault?.rule == .randomWeight)
    #expect(fault?.message == "has the random weight '\(letter)' at position 2 (IN00)")
  }

  @Test("two presets are interpolated, BASE too")
  func interpolation() throws {
    let mixed = try BlockWeights("GRAD_V..ALL_B@0.3")
    #expect(mixed.base == 0.3)
    let gradV = try BlockWeights("GRAD_V")
    for (mixed, plain) in zip(mixed.blocks, gradV.blocks) { #expect(mixed == 0.7 * plain + 0.3) }
    #expect(mixed.origin == .preset("GRAD_V..ALL_B@0.3"))
    #expect(
      try BlockWeights("ALL_A .. 2SMOOTHSTEP @ 1").blocks == BlockWeights("SMOOTHSTEP*2").blocks)
  }

  @Test("an interpolation without share, or of an unknown preset, is refused")
  func badInterpolation() {
    #expect(
      sentence("GRAD_V..GRAD_A")
        == "interpolates presets without saying how far: expected FIRST..SECOND@SHARE, "
        + "found 'GRAD_V..GRAD_A'; for example GRAD_V..GRAD_A@0.3")
    #expect(
      sentence("GRAD_V..GRAD_B@0.5") == "has no preset called 'GRAD_B'; did you mean 'GRAD_V'?")
    #expect(
      sentence("GRAD_V..GRAD_A@x")?.hasPrefix("has no number at the share of 'GRAD_A'") == true)
  }

  @Test("a preset of a file goes before a classic one of the same name")
  func overriding() throws {
    var library = PresetLibrary.classic
    library.add(Preset("grad_v", try BlockWeights("0.5," + zeros(25))))
    #expect(try BlockWeights("GRAD_V", presets: library).base == 0.5)
    #expect(library.presets.count == 38)
  }
}

@Suite("Dialects")
struct DialectTests {
  /// 26 weights that tell their position: BASE 0.5, IN00 1, …, OUT11 25.
  static let numbered = "0.5," + (1...25).map(String.init).joined(separator: ",")

  private func weights(_ dialect: String, _ list: String = numbered) throws -> PlaceWeights {
    try WeightSpecification(blocks: try BlockWeights(list))
      .resolved(in: try Dialect(named: dialect)).places
  }

  @Test(
    "each tool's convention for what the lists do not name",
    arguments: [
      // dialect, CLIP, VAE, TIME, IN00, OUT11, OUT, LABEL, EMA
      ("mbw", [0.5, 0.5, 1, 1, 25, 25, 0.5, 0.5]),
      ("supermerger-2023", [0.5, 0.5, 25, 1, 25, 25, nil, 0.5]),
      ("chattiori", [0.5, nil, 25, 1, 25, 25, nil, 0.5]),
      ("mecha", [0.5, 0.5, 0.5, 1, 25, 25, 0.5, 0.5]),
      ("sdnext", [0.5, nil, 0.5, 0.5, 24, 24, 25, nil]),
      ("model-mixer", [0.5, nil, 25, 1, 25, 25, nil, nil]),
      ("comfyui", [0.5, nil, 0, 0, -24, -24, 0, nil]),
    ])
  func conventions(dialect: String, expected: [Double?]) throws {
    let weights = try weights(dialect)
    let places: [Place] = [.clip, .vae, .time, .in00, .out11, .out, .label]
    let found = places.map { weights[$0] } + [weights.ema]
    #expect(found == expected.map { $0.map { .weight($0) } ?? .kept })
  }

  @Test("the U-Net's blocks take their own number, but SD.Next's the one before")
  func blocks() throws {
    for dialect in Dialect.all where !dialect.invertsWeights {
      let weights = try weights(dialect.name)
      for (index, place) in BlockWeights.places.enumerated() {
        let own = Double(index + 1)
        let before = index == 0 ? 0.5 : own - 1
        #expect(weights[place] == .weight(dialect == .sdnext ? before : own), "\(dialect) \(place)")
      }
    }
  }

  @Test("25 weights take BASE from base alpha, else from alpha, else from nowhere")
  func baseAlpha() throws {
    let blocks = try BlockWeights(zeros(25))
    func base(_ wanted: WeightSpecification) throws -> PlaceWeight {
      try wanted.resolved(in: .mbw).places[.clip]
    }
    #expect(
      try base(WeightSpecification(alpha: 0.4, blocks: blocks, baseAlpha: 0.3)) == .weight(0.3))
    #expect(try base(WeightSpecification(alpha: 0.4, blocks: blocks)) == .weight(0.4))
    #expect(try base(WeightSpecification(blocks: blocks)) == .weight(0))
  }

  @Test("base alpha overrides a preset's BASE but contradicts a written one")
  func contradiction() throws {
    let preset = WeightSpecification(blocks: try BlockWeights("GRAD_V"), baseAlpha: 0.3)
    #expect(try preset.resolved(in: .mbw).places[.vae] == .weight(0.3))
    let list = WeightSpecification(blocks: try BlockWeights("0.1," + zeros(25)), baseAlpha: 0.3)
    let fault = fault { () throws(Fault) in _ = try list.resolved(in: .mbw) }
    #expect(fault?.rule == .contradictingWeights)
    #expect(fault?.found == "0.1 at the list's beginning and 0.3 as base alpha")
  }

  @Test("without block weights every place takes alpha, and CLIP and VAE base alpha")
  func scalar() throws {
    let half = try WeightSpecification().resolved(in: .mbw).places
    #expect(Place.allCases.allSatisfy { half[$0] == .weight(0.5) })
    let some = try WeightSpecification(alpha: 0.3, baseAlpha: 0.1).resolved(in: .mbw).places
    #expect(some[.clip] == .weight(0.1))
    #expect(some[.in05] == .weight(0.3))
    #expect(some.source(of: .in05) == .alpha)
  }

  @Test("ComfyUI's three ratios are the first model's share, by prefix")
  func comfyThree() throws {
    let weights = try weights("comfyui", "0.25, 0.5, 1")
    #expect(weights[.time] == .weight(0.75))
    #expect(weights[.in11] == .weight(0.75))
    #expect(weights[.m00] == .weight(0.5))
    #expect(weights[.out00] == .weight(0))
    #expect(weights[.out] == .weight(0))
  }

  @Test("ComfyUI's thirty sliders have their own places")
  func comfyThirty() throws {
    let sliders = (0..<30).map { (14...16).contains($0) ? "0.5" : "\($0)" }.joined(separator: ",")
    let weights = try weights("comfyui", sliders)
    #expect(weights[.time] == .weight(1))
    #expect(weights[.label] == .weight(0))
    #expect(weights[.in00] == .weight(-1))
    #expect(weights[.m00] == .weight(0.5))
    #expect(weights[.out00] == .weight(-16))
    #expect(weights[.out11] == .weight(-27))
    #expect(weights[.out] == .weight(-28))
    let uneven = fault { () throws(Fault) in
      _ = try BlockWeights((0..<30).map(String.init).joined(separator: ","))
    }
    #expect(uneven?.found == "14, 15, 16")
  }

  @Test("ComfyUI's ratios are refused in other dialects")
  func comfyElsewhere() {
    #expect(throws: Fault.self) { try weights("mbw", "0,0,0") }
  }

  @Test("an unknown dialect is refused with the nearest name")
  func unknown() {
    let fault = fault { () throws(Fault) in _ = try Dialect(named: "chatiori") }
    #expect(fault?.rule == .unknownDialect)
    #expect(fault?.hint == "did you mean 'chattiori'?")
  }
}

@Suite("Settings of single places")
struct PlaceSettingTests {
  @Test(
    "one place, a range, BASE, keep",
    arguments: [
      ("CLIP=0.2", [Place.clip], PlaceWeight.weight(0.2)),
      ("in03 .. IN05 = 0.5", [.in03, .in04, .in05], .weight(0.5)),
      ("IN11..OUT00=1", [.in11, .m00, .out00], .weight(1)), ("BASE=0", [.clip, .vae], .weight(0)),
      ("VAE=keep", [.vae], .kept),
    ])
  func reading(text: String, places: [Place], weight: PlaceWeight) throws {
    let setting = try PlaceSetting(text)
    #expect(setting.places == places)
    #expect(setting.weight == weight)
    #expect(try PlaceSetting(setting.description) == setting)
  }

  @Test(
    "what is wrong is named",
    arguments: [
      (
        "CLIP",
        "has a block setting without '=': expected PLACE=WEIGHT, found 'CLIP'; for example CLIP=0.2 or IN03..IN05=0.5"
      ),
      (
        "IN05..IN03=1",
        "has a range of blocks that runs backwards: expected IN03..IN05, found IN05..IN03; the order is CLIP, VAE, TIME, IN00 to IN11, M00, OUT00 to OUT11, OUT"
      ),
      ("IN12=1", "has no place called 'IN12'; did you mean 'IN02'?"),
      ("CLOP=1", "has no place called 'CLOP'; did you mean 'CLIP'?"),
      ("OUT=x", "has no number at the setting of 'OUT': expected a weight such as 0.25, found 'x'"),
    ])
  func faults(text: String, sentence: String) {
    #expect(fault { () throws(Fault) in _ = try PlaceSetting(text) }?.sentence == sentence)
  }

  @Test("the last setting counts, over lists and dialects")
  func precedence() throws {
    let wanted = WeightSpecification(
      blocks: try BlockWeights("ALL_B"),
      settings: [
        try PlaceSetting("VAE=0.2"), try PlaceSetting("IN00..IN05=0.3"),
        try PlaceSetting("IN03=keep"),
      ])
    let places = try wanted.resolved(in: .chattiori).places
    #expect(places[.vae] == .weight(0.2))
    #expect(places[.in02] == .weight(0.3))
    #expect(places[.in03] == .kept)
    #expect(places[.in06] == .weight(1))
    #expect(places.source(of: .in03) == .setting)
    let inverted = try wanted.resolved(in: .comfyui).places
    #expect(inverted[.in02] == .weight(0.7))
  }
}
