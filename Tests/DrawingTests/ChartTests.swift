import Drawing
import Testing

/// Values of every kind that a file can bring about.
private let values: [Double?] = [0, 1, -1, 0.001, 12.5, 1e300, .infinity, -.infinity, .nan, nil]

@Suite("Charts")
struct ChartTests {
  @Test("bars do not overlap, whatever their values")
  func bars() {
    var chart = BarChart(String(repeating: "long ", count: 90), remark: "weight")
    chart.bars = (0..<29).map { .init("OUT\($0)", values[$0 % values.count], label: "0.25") }
    #expect(chart.scene.collisions.isEmpty)
    chart.range = -1...1
    chart.bars = (0..<29).map { .init("OUT\($0)", Double($0 - 14) / 20, label: "-0.25") }
    #expect(chart.scene.collisions.isEmpty)
    #expect(isWellFormed(chart.scene.svg(theme: .light)))
    #expect(BarChart("empty", remark: "").scene.collisions.isEmpty)
  }

  @Test("cards of bars do not overlap", arguments: 0...5)
  func grid(count: Int) {
    var grid = BarGrid("presets", remark: "weight", names: (0..<25).map { "IN\($0)" })
    grid.cards = (0..<count).map { index in
      .init(String(repeating: "NAME", count: 9 * index), remark: "BASE 0.00", values: values)
    }
    #expect(grid.scene(columns: 3).collisions.isEmpty)
    #expect(isWellFormed(grid.scene(columns: 3).svg(theme: .dark)))
  }

  @Test("a heat map shows NaN and infinities")
  func heatMap() {
    let map = HeatMap(
      "differences", remark: "relative", rows: (0..<10).map { "IN0\($0)" },
      columns: ["Conv2d", "Linear"], values: values.map { [$0, 0.5] })
    let svg = map.scene.svg(theme: .light)
    #expect(isWellFormed(svg) && svg.contains(">NaN<") && svg.contains(">∞<"))
    #expect(map.scene.collisions.isEmpty)
    let empty = HeatMap("nothing", remark: "", rows: [], columns: [], values: [])
    #expect(isWellFormed(empty.scene.svg(theme: .light)))
  }

  @Test("histograms of nothing, of constants and of numbers beyond all ranges")
  func histograms() {
    var chart = HistogramChart("weights", remark: "how often")
    chart.series = [
      .init("none", remark: "", range: -1...1, counts: []),
      .init("one", remark: "1 value", range: 3...3, counts: [5]),
      .init("bad", remark: "7 NaN", isAlarming: true, range: 0...1e308, counts: [.nan, 1, 2]),
      .init(String(repeating: "x", count: 300), remark: "1", range: -1e-7...2e-7, counts: [1, 2]),
    ]
    #expect(chart.scene().collisions.isEmpty)
    #expect(isWellFormed(chart.scene().svg(theme: .light)))
  }

  @Test("a graph is drawn from left to right, also when it goes round in a circle")
  func graph() {
    var graph = GraphPicture("recipe")
    graph.nodes = (0..<6).map { .init("model \($0)", remark: "sha256 0123456789") }
    graph.edges = [.init(from: 0, to: 2), .init(from: 1, to: 2), .init(from: 2, to: 3)]
    #expect(graph.scene.collisions.isEmpty)
    graph.edges += [
      .init(from: 3, to: 0), .init(from: 4, to: 4), .init(from: 9, to: -1), .init(from: 5, to: 4),
    ]
    #expect(graph.scene.collisions.isEmpty)
    #expect(isWellFormed(graph.scene.svg(theme: .light)))
    graph.nodes = []
    #expect(isWellFormed(graph.scene.svg(theme: .light)))
  }
}
