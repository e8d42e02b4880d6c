import JSON
import Merge
import StableDiffusion
import Tensors
import Testing

@Suite("Elemental rules")
struct ElementalRuleTests {
  private func weight(
    _ rules: String, _ name: TensorName, _ place: Place, in dialect: Dialect = .mbw
  ) throws -> PlaceWeight {
    try WeightSpecification(alpha: 0.25, elements: try ElementalRules(rules))
      .resolved(in: dialect).weight(for: name, at: place)
  }

  private let attn1: TensorName =
    "model.diffusion_model.output_blocks.4.1.transformer_blocks.0.attn1.to_out.0.weight"
  private let attn2: TensorName =
    "model.diffusion_model.output_blocks.4.1.transformer_blocks.0.attn2.to_q.weight"
  private let norm: TensorName = "model.diffusion_model.output_blocks.4.1.norm.weight"

  @Test(
    "blocks and elements select, ranges include both ends, empty means all",
    arguments: [
      ("OUT04:attn2:1", 1, 0.25, 0.25), ("OUT03-OUT04:attn2 attn1.to_out:1", 1, 1, 0.25),
      ("OUT04-OUT05::1", 1, 1, 1), (":attn1:1", 0.25, 1, 0.25), ("::1", 1, 1, 1),
      ("NOT OUT04:attn:1", 0.25, 0.25, 0.25), ("NOT OUT05 IN00:attn:1", 1, 1, 0.25),
      ("OUT04:NOT attn:1", 0.25, 0.25, 1), ("OUT05:attn:1", 0.25, 0.25, 0.25),
      ("out04:attn:1, OUT04:attn2:0.5", 0.5, 1, 0.25),
      ("OUT04:attn2:0.5\nOUT04:attn:1", 1, 1, 0.25),
      ("OUT00:attn:1", 0.25, 0.25, 0.25),
    ])
  func selection(rules: String, ofAttn2: Double, ofAttn1: Double, ofNorm: Double) throws {
    #expect(try weight(rules, attn2, .out04) == .weight(ofAttn2))
    #expect(try weight(rules, attn1, .out04) == .weight(ofAttn1))
    #expect(try weight(rules, norm, .out04) == .weight(ofNorm))
  }

  @Test("blocks are the dialect's; TIME, CLIP, VAE and OUT are single places")
  func blocks() throws {
    let time: TensorName = "model.diffusion_model.time_embed.0.weight"
    #expect(try weight("IN00::1", time, .time) == .weight(1))
    #expect(try weight("IN00::1", time, .time, in: .chattiori) == .weight(0.25))
    #expect(try weight("OUT11::1", time, .time, in: .chattiori) == .weight(1))
    #expect(try weight("BASE::1", time, .time, in: .mecha) == .weight(1))
    #expect(try weight("TIME::1", time, .time) == .weight(1))
    #expect(
      try weight("TIME::1", "model.diffusion_model.input_blocks.0.0.bias", .in00) == .weight(0.25))
    #expect(try weight("OUT11::1", "model.diffusion_model.out.2.bias", .out) == .weight(1))
    #expect(try weight("::1", "first_stage_model.quant_conv.bias", .vae) == .weight(1))
  }

  @Test("a kept place changes only by a rule that names it")
  func kept() throws {
    let name: TensorName = "first_stage_model.quant_conv.bias"
    #expect(try weight("BASE::1\n::1", name, .vae, in: .chattiori) == .kept)
    #expect(try weight("VAE::1", name, .vae, in: .chattiori) == .weight(1))
  }

  @Test("ratios are the first model's where the dialect says so")
  func inverted() throws {
    #expect(try weight("OUT04::1", attn2, .out04, in: .comfyui) == .weight(0))
  }

  @Test(
    "a rule without exactly two colons is refused with its position",
    arguments: [
      (
        "OUT04:attn:1,OUT05:1",
        "has an elemental rule 2 (line 1, column 14) that has 1 colon: expected BLOCKS:ELEMENTS:RATIO, found 'OUT05:1'; leave blocks or elements empty for all, as in '::0.5'"
      ),
      (
        "\n  a:b:c:d",
        "has an elemental rule 1 (line 2, column 3) that has 3 colons: expected BLOCKS:ELEMENTS:RATIO, found 'a:b:c:d'; leave blocks or elements empty for all, as in '::0.5'"
      ),
      (
        "OUT12::1",
        "has an elemental rule 1 (line 1, column 1) that names an unknown block: expected BASE, IN00 to IN11, M00, OUT00 to OUT11, found 'OUT12'; did you mean 'OUT02'?"
      ),
      (
        "OUT05-OUT03::1",
        "has an elemental rule 1 (line 1, column 1) that has a range of blocks that runs backwards: expected OUT03-OUT05, found OUT05-OUT03"
      ),
      (
        "NOT:attn:1",
        "has an elemental rule 1 (line 1, column 1) that says NOT without saying what: found 'NOT:attn:1'"
      ),
      (
        "::x",
        "has an elemental rule 1 (line 1, column 1) that has no number at its end: expected a weight such as 0.25, found 'x'"
      ),
    ])
  func faults(rules: String, sentence: String) {
    #expect(fault { () throws(Fault) in _ = try ElementalRules(rules) }?.sentence == sentence)
  }

  @Test("long texts are refused, and long names in messages cut")
  func long() {
    let many = String(repeating: "::1,", count: 10_000)
    #expect(
      fault { () throws(Fault) in _ = try ElementalRules(many) }?.sentence
        == "has too many elemental rules: expected at most 32768 bytes, found 40000")
    let name = "A" + String(repeating: "\u{301}", count: 100_000)
    let fault = fault { () throws(Fault) in _ = try PlaceSetting(name + "=1") }
    #expect((fault?.sentence.utf8.count ?? .max) < 300)
  }

  @Test("the text of rules reads back as the same rules")
  func roundTrip() throws {
    let rules = try ElementalRules(" not OUT03-out05  IN00 : attn2  attn1.to_out :0.50,, ::1\n")
    #expect(rules.text == "NOT OUT03-OUT05 IN00:attn2 attn1.to_out:0.5\n::1")
    #expect(try ElementalRules(rules.text) == rules)
  }
}

@Suite("The table of places")
struct PlaceTableTests {
  private var table: PlaceTable {
    get throws {
      let wanted = WeightSpecification(
        blocks: try BlockWeights("GRAD_V"), baseAlpha: 1.5,
        settings: [try PlaceSetting("IN01=-0.5"), try PlaceSetting("VAE=keep")],
        elements: try ElementalRules("IN02:attn1:0.1,IN02:attn2:0.2"))
      let tensors: [PlaceTable.Tensor] = [
        .init("cond_stage_model.a", at: .clip, elementCount: 1_234_567),
        .init("model.diffusion_model.input_blocks.2.1.attn1", at: .in02, elementCount: 10),
        .init("model.diffusion_model.input_blocks.2.1.attn2", at: .in02, elementCount: 20),
        .init("model.diffusion_model.input_blocks.2.1.norm", at: .in02, elementCount: 3),
      ]
      return PlaceTable(try wanted.resolved(in: .mbw), tensors: tensors)
    }
  }

  @Test("29 rows: weight, source, counts and a bar")
  func text() throws {
    let lines = try table.text(barWidth: 8).split(separator: "\n")
    #expect(lines.count == 30)
    #expect(lines[0] == "place  weight  from        tensors     values")
    #expect(lines[1] == "CLIP      1.5  base alpha        1  1,234,567  ████████>")
    #expect(lines[2] == "VAE      keep  setting           0          0")
    #expect(lines[5] == "IN01     -0.5  setting           0          0  <")
    #expect(
      lines[6] == "IN02   0.8333  IN02              3         33  ██████▋  (2 of 3: 0.1 to 0.2)")
    #expect(lines[29] == "OUT         1  OUT11             0          0  ████████")
    #expect(try table.text(barWidth: 4, isASCII: true).contains("###"))
  }

  @Test("the JSON form has one object for each place")
  func json() throws {
    let json = try table.json
    #expect(json["dialect"]?.string == "mbw")
    #expect(json["places"]?.array?.count == 29)
    #expect(
      try json["places"]?.array?[5].serialized()
        == #"{"place":"IN02","weight":0.8333333333,"source":"IN02","tensors":3,"parameters":33,"elemental":{"tensors":2,"minimum":0.1,"maximum":0.2}}"#
    )
    #expect(json["places"]?.array?[1]["weight"] == .null)
  }

  /// Tensors and values of each place, counted in the published v1-5 checkpoint.
  private static let counts: [(Place, tensors: Int, values: Int)] = [
    (.clip, 196, 123_060_480), (.vae, 248, 83_653_863), (.time, 4, 2_050_560),
    (.in00, 2, 11_840), (.in01, 36, 4_801_280), (.in02, 36, 4_801_280), (.in03, 2, 921_920),
    (.in04, 38, 15_746_560), (.in05, 36, 17_384_960), (.in06, 2, 3_687_040),
    (.in07, 38, 59_345_920), (.in08, 36, 65_899_520), (.in09, 2, 14_746_880),
    (.in10, 10, 31_138_560), (.in11, 10, 31_138_560), (.m00, 46, 97_038_080),
    (.out00, 12, 49_164_800), (.out01, 12, 49_164_800), (.out02, 14, 63_911_680),
    (.out03, 38, 83_925_760), (.out04, 38, 83_925_760), (.out05, 40, 90_479_360),
    (.out06, 38, 25_989_760), (.out07, 38, 21_892_480), (.out08, 40, 23_530_880),
    (.out09, 38, 6_953_280), (.out10, 38, 5_928_640), (.out11, 38, 5_928_640), (.out, 4, 12_164),
  ]

  @Test("the network's tensors and values are counted by place")
  func schema() throws {
    let table = PlaceTable(try WeightSpecification().resolved(in: .mbw))
    #expect(table.rows.count == Self.counts.count)
    for (row, expected) in zip(table.rows, Self.counts) {
      #expect(row.place == expected.0)
      #expect(row.tensorCount == expected.tensors, "\(row.place)")
      #expect(row.parameterCount == expected.values, "\(row.place)")
    }
  }

  @Test("an elemental rule finds the tensors that its elements name")
  func elementalCounts() throws {
    let rules = try ElementalRules("OUT03-OUT05:attn2 attn1.to_out:0.5")
    let weights = try WeightSpecification(alpha: 1, elements: rules).resolved(in: .mbw)
    let table = PlaceTable(weights)
    // attn2 has to_q, to_k, to_v, and to_out with a bias; attn1.to_out has two tensors.
    #expect(
      table.rows.filter { $0.elementalCount > 0 }.map(\.place) == [.out03, .out04, .out05])
    #expect(table.rows.allSatisfy { $0.elementalCount == 0 || $0.elementalCount == 7 })
    let parameter = try #require(
      Schema.sd15["model.diffusion_model.output_blocks.3.1.transformer_blocks.0.attn2.to_q.weight"])
    #expect(weights.weight(for: parameter) == .weight(0.5))
  }
}
