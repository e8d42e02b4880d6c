import Drawing
import StableDiffusion
import Testing

/// Networks that are drawn in tests.
private let schemas: [(name: String, schema: Schema)] = [
  ("sd15", .sd15), ("inpainting", Schema(.sd15Inpainting)), ("tiny", Schema(.tiny)),
  ("tiniest", Schema(.tiniest)),
]

@Suite("Pictures of the network")
struct NetworkTests {
  private static let plan = NetworkPlan(.sd15, at: .standard)

  @Test("every parameter is in exactly one field", arguments: schemas.map(\.name))
  func complete(name: String) throws {
    let schema = try #require(schemas.first { $0.name == name }).schema
    let plan = NetworkPlan(schema, at: .standard)
    let positions = Component.allCases.flatMap { plan.stages(of: $0) }.flatMap(\.parameters)
      .joined()
    #expect(positions.sorted() == Array(schema.parameters.indices))
  }

  @Test("shapes follow the data through the U-Net")
  func unetShapes() {
    let plan = Self.plan
    #expect(plan.input.map(\.name).first == "IN00" && plan.output.map(\.name).last == "OUT11")
    #expect(
      plan.input.map(\.shape) == [
        [320, 64, 64], [320, 64, 64], [320, 64, 64], [320, 32, 32], [640, 32, 32], [640, 32, 32],
        [640, 16, 16], [1280, 16, 16], [1280, 16, 16], [1280, 8, 8], [1280, 8, 8], [1280, 8, 8],
      ])
    #expect(plan.middle?.shape == [1280, 8, 8])
    #expect(
      plan.output.map(\.shape) == [
        [1280, 8, 8], [1280, 8, 8], [1280, 16, 16], [1280, 16, 16], [1280, 16, 16], [1280, 32, 32],
        [640, 32, 32], [640, 32, 32], [640, 64, 64], [320, 64, 64], [320, 64, 64], [320, 64, 64],
      ])
    #expect(plan.last?.shape == [4, 64, 64])
  }

  @Test("shapes follow the data through VAE and text encoder")
  func otherShapes() {
    let plan = Self.plan
    #expect(plan.encoder.first?.shape == [128, 512, 512])
    #expect(plan.encoder.last?.shape == [8, 64, 64] && plan.encoder.last?.name == "quant_conv")
    #expect(plan.decoder.first?.name == "post_quant_conv")
    #expect(plan.decoder.last?.shape == [3, 512, 512])
    #expect(plan.textEncoder.count == 14)
    #expect(plan.textEncoder.allSatisfy { $0.shape == [77, 768] })
  }

  @Test("normalisations are counted where they are")
  func normalisations() throws {
    let stage = try #require(Self.plan.input.dropFirst().first)
    #expect(stage.modules.map(\.label) == ["Res", "Attn"])
    #expect(stage.modules.map(\.groupNormCount) == [2, 1])
    #expect(stage.modules.map(\.layerNormCount) == [0, 3])
    let all = Component.allCases.flatMap { Self.plan.stages(of: $0) }.flatMap(\.modules)
    #expect(all.reduce(0) { $0 + $1.groupNormCount } == 113)
    #expect(all.reduce(0) { $0 + $1.layerNormCount } == 73)
  }

  @Test(
    "nothing overlaps and no text leaves its box",
    arguments: schemas.map(\.name), ["64", "512x512", "8192x64"])
  func overlaps(name: String, size: String) throws {
    let schema = try #require(schemas.first { $0.name == name }).schema
    let change = Coloring.change(
      "change in %",
      samples: schema.parameters.indices.map { Coloring.Sample(Double($0), over: 7) })
    for coloring in [nil, change] {
      for arrangement in [Scene.Arrangement.wide, .narrow] {
        let scene = Scene.network(
          schema, title: "a title " + String(repeating: "that is long ", count: 20),
          resolution: try Resolution(size), coloring: coloring, arrangement: arrangement)
        #expect(scene.collisions.isEmpty)
      }
    }
  }

  @Test("the same network gives the same bytes, which are well-formed")
  func deterministic() throws {
    let first = Scene.network(.sd15).svg(theme: .light)
    #expect(first == Scene.network(.sd15).svg(theme: .light))
    #expect(isWellFormed(first))
    #expect(first.contains(">IN00<") && first.contains(">OUT11<") && first.contains("1280×8×8"))
    #expect(first.contains("859,520,964 values"))
    #expect(first.utf8.count < 200_000)
  }

  @Test(
    "sizes that the network cannot work at are refused",
    arguments: [
      "", "500", "512x", "x512", "512x500", "0x0", "-64x64", "16384x64", "512x512x512",
      "99999999999999999999",
    ])
  func resolutions(text: String) {
    #expect(throws: (any Error).self) { try Resolution(text) }
  }

  @Test("a field shows the root of summed squares, and what is unknown or infinite")
  func values() throws {
    var samples: [Coloring.Sample?] = [
      .init(9, over: 16), .init(7, over: 9), nil, .init(1, over: 0),
    ]
    samples += [.init(0, over: 0), .init(.nan, over: 1)]
    let coloring = Coloring(
      "x", samples: samples, range: 0...1, isRoot: true, notation: .percentage)
    let texts = [[0..<2], [2..<3], [3..<4], [4..<5], [5..<6], [90..<91]].map {
      coloring.words(of: $0)
    }
    #expect(texts == ["80.0%", "", "∞", "0%", "NaN", ""])
  }
}
