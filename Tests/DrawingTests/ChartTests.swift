import Drawing
import StableDiffusion
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
    #expect(graph.scene().collisions.isEmpty)
    graph.edges += [
      .init(from: 3, to: 0), .init(from: 4, to: 4), .init(from: 9, to: -1), .init(from: 5, to: 4),
    ]
    #expect(graph.scene().collisions.isEmpty)
    #expect(isWellFormed(graph.scene().svg(theme: .light)))
    graph.nodes = []
    #expect(isWellFormed(graph.scene().svg(theme: .light)))
  }

  @Test("ways lead around boxes, and unrelated ones never along the same line", arguments: 0..<60)
  func ways(seed: Int) {
    var state = UInt64(seed) &* 2_654_435_761 &+ 1
    func random(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % limit
    }
    var graph = GraphPicture("recipe")
    let count = 3 + random(14)
    graph.nodes = (0..<count).map { .init("model \($0)", remark: "sha256 0123456789") }
    for to in 1..<count {
      for from in 0..<to where random(3 + count / 3) == 0 {
        graph.edges.append(.init(from: from, to: to))
      }
    }
    // A forged recipe may lead back.
    if seed % 5 == 0 { graph.edges.append(.init(from: count - 1, to: 0)) }
    for arrangement in [Scene.Arrangement.wide, .narrow] {
      let scene = graph.scene(arrangement)
      #expect(scene.collisions.isEmpty)
      let ways = scene.leaves.compactMap { item -> [Rect]? in
        guard case .line(let line) = item else { return nil }
        return zip(line.points, line.points.dropFirst()).map { a, b in
          Rect(min(a.x, b.x), min(a.y, b.y), abs(a.x - b.x), abs(a.y - b.y)).inset(-0.4, -0.4)
        }
      }
      let boxes = scene.leaves.compactMap { item -> Rect? in
        guard case .box(let box) = item else { return nil }
        return box.frame.inset(1, 1)
      }
      #expect(ways.count == graph.edges.count && boxes.count == count)
      let canvas = Rect(0, 0, scene.size.width, scene.size.height)
      for (index, way) in ways.enumerated() {
        for part in way {
          #expect(canvas.contains(part), "\(arrangement) \(graph.edges[index])")
          #expect(!boxes.contains { $0.overlaps(part) }, "\(arrangement) \(graph.edges[index])")
        }
        for other in ways.indices[(index + 1)...] {
          let a = graph.edges[index], b = graph.edges[other]
          guard a.from != b.from, a.to != b.to else { continue }
          let shared = way.contains { one in
            ways[other].contains { two in
              one.overlaps(two)
                && max(
                  min(one.right, two.right) - max(one.x, two.x),
                  min(one.bottom, two.bottom) - max(one.y, two.y)) > 3
            }
          }
          #expect(!shared, "\(arrangement) \(a) \(b)")
        }
      }
    }
  }

  @Test("below 0 is the same colour in bars, heat maps and networks, above 0 the other")
  func signs() {
    func fills(_ scene: Scene) -> Set<Paint> {
      Set(
        scene.leaves.compactMap { item in
          guard case .box(let box) = item, case .scale = box.fill else { return nil }
          return box.fill
        })
    }
    let ends: Set<Paint> = [.scale(.balance, 0), .scale(.balance, Scale.steps - 1)]
    var bars = BarChart("weights", remark: "")
    bars.bars = [
      .init("a", -0.5, label: "-0.5"), .init("b", 0, label: "0"), .init("c", 1, label: "1"),
    ]
    #expect(fills(bars.scene) == ends)
    var grid = BarGrid("weights", remark: "", names: ["a", "b", "c"])
    grid.cards = [.init("one", values: [-1, 0, 0.1])]
    #expect(fills(grid.scene(columns: 1)) == ends)
    let map = HeatMap(
      "change", remark: "", rows: ["a"], columns: ["x", "y", "z"], values: [[-2, 0, 2]])
    #expect(fills(map.scene).isSuperset(of: ends))
    var count = 0
    let coloring = Coloring.weights("weight", schema: .sd15) { _ in
      count += 1
      return count % 2 == 0 ? -1 : 1
    }
    let network = fills(Scene.network(.sd15, coloring: coloring))
    #expect(network.allSatisfy { if case .scale(.balance, _) = $0 { true } else { false } })
    // Without values below 0 amounts are amounts.
    let positive = HeatMap(
      "change", remark: "", rows: ["a"], columns: ["x"], values: [[0.5]])
    #expect(fills(positive.scene).isDisjoint(with: ends))
    for theme in Theme.allCases {
      #expect(
        theme.color(of: .scale(.balance, Scale.steps - 1)) == theme.color(of: .token(.series)))
      for end in ends {
        for token in [Token.canvas, .panel] {
          let found = theme.color(of: end)?.contrast(with: theme.color(of: token))
          #expect((found ?? 0) >= 3, "\(end) on \(token)")
        }
      }
    }
  }
}
