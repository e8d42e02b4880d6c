import Inspection

/// Bars over names, such as the weights of the places of the network.
///
///     var chart = BarChart("GRAD_V", remark: "weight of the second model")
///     chart.bars = [.init("IN00", 0.5, label: "0.50")]
///     chart.scene.svg(theme: .light)
public struct BarChart: Hashable, Sendable {
  /// One bar.
  public struct Bar: Hashable, Sendable {
    /// What stands below it.
    public var name: String
    /// Its height; `nil` for one that has none.
    public var value: Double?
    /// What stands above it.
    public var label: String
    /// What is said when it is pointed at.
    public var tooltip: String

    /// A bar.
    public init(_ name: String, _ value: Double?, label: String, tooltip: String = "") {
      self.name = name
      self.value = value.flatMap { $0.isFinite ? $0 : nil }
      self.label = label
      self.tooltip = tooltip
    }
  }

  /// What the chart shows.
  public var title: String
  /// What the values are, with the unit.
  public var remark: String
  /// The bars, from left to right.
  public var bars: [Bar] = []
  /// The values that are always in the chart.
  public var range: ClosedRange<Double> = 0...1

  /// A chart without bars.
  public init(_ title: String, remark: String) {
    self.title = title
    self.remark = remark
  }

  /// The picture.
  public var scene: Scene {
    let names = bars.map { FontMetrics.width(of: $0.name, .small) }.max() ?? 0
    let labels = bars.map { FontMetrics.width(of: $0.label, .small) }.max() ?? 0
    let pitch = max(24, max(names, labels) + 5)
    let left = Frame.margin + 44
    let width = max(480, left + pitch * Double(bars.count) + Frame.margin)
    let values = bars.compactMap(\.value)
    let range =
      min(self.range.lowerBound, values.min() ?? 0)...max(self.range.upperBound, values.max() ?? 1)
    // The numbers of bars that go down stand between them and the names.
    let below = range.lowerBound < 0 ? 32.0 : 18.0
    let plot = Rect(left, 100, width - left - Frame.margin, 200)
    var frame = Frame(
      scene: Scene(title, summary: remark, size: Size(width, plot.bottom + 26 + below)), plot: plot,
      range: range)
    frame.scene.items = Frame.heading(title, remark, width: width)
    frame.scene.items += frame.grid { Written.decimal($0, digits: 2) }
    let zero = frame.y(0)
    for (index, bar) in bars.enumerated() {
      let middle = plot.x + (Double(index) + 0.5) * pitch
      let barWidth = min(pitch - 6, 28)
      let box = frame.bar(bar.value, x: middle - barWidth / 2, width: barWidth, radius: 2)
      var items: [Item] = box.map { [.box($0)] } ?? []
      let isDown = (bar.value ?? 0) < 0
      let label = Label(
        bar.label,
        at: Point(middle, isDown ? (box?.frame.bottom ?? zero) + 11 : (box?.frame.y ?? zero) - 5),
        .small, anchor: .middle, paint: .token(bar.value == nil ? .muted : .ink))
      // No line of the grid runs through a number.
      if !bar.label.isEmpty { items.append(.box(Box(label.bounds, fill: .token(.canvas)))) }
      items.append(.label(label))
      items.append(
        .label(Label(bar.name, at: Point(middle, plot.bottom + below), .small, anchor: .middle)))
      frame.scene.items.append(.group(Group(bar.tooltip, items)))
    }
    return frame.scene
  }
}

/// Several rows of bars side by side, each in a card of its own.
public struct BarGrid: Hashable, Sendable {
  /// One card.
  public struct Card: Hashable, Sendable {
    /// What stands above it.
    public var title: String
    /// What stands beside the title.
    public var remark: String
    /// The heights of the bars; `nil` for one that has none.
    public var values: [Double?]

    /// A card.
    public init(_ title: String, remark: String = "", values: [Double?]) {
      self.title = title
      self.remark = remark
      self.values = values
    }
  }

  /// What the picture shows.
  public var title: String
  /// What the values are, with the unit.
  public var remark: String
  /// The names of the bars, for tooltips and the axis.
  public var names: [String]
  /// The cards, in reading order.
  public var cards: [Card] = []

  /// A picture without cards.
  public init(_ title: String, remark: String, names: [String]) {
    self.title = title
    self.remark = remark
    self.names = names
  }

  /// The picture, with `columns` cards side by side.
  public func scene(columns: Int) -> Scene {
    let columns = max(1, min(columns, max(1, cards.count)))
    let pitch = 11.0, inner = Double(names.count) * pitch
    let card = Size(inner + 32, 118), gap = 14.0
    let rows = (cards.count + columns - 1) / columns
    let width = 2 * Frame.margin + Double(columns) * card.width + Double(columns - 1) * gap
    let height = 86 + Double(rows) * (card.height + gap) - gap + Frame.margin
    var scene = Scene(title, summary: remark, size: Size(width, height))
    scene.items = Frame.heading(title, remark, width: width)
    let values = cards.flatMap { $0.values.compactMap { $0 } }.filter(\.isFinite)
    let range = min(0, values.min() ?? 0)...max(1, values.max() ?? 1)
    for (index, content) in cards.enumerated() {
      let x = Frame.margin + Double(index % columns) * (card.width + gap)
      let y = 86 + Double(index / columns) * (card.height + gap)
      scene.items.append(
        item(content, Rect(x, y, card.width, card.height), pitch: pitch, range: range))
    }
    return scene
  }

  private func item(
    _ card: Card, _ frame: Rect, pitch: Double, range: ClosedRange<Double>
  ) -> Item {
    let remarkWidth = FontMetrics.width(of: card.remark, .small)
    let room = frame.width - 32
    var items: [Item] = [
      .box(Box(frame, fill: .token(.panel), stroke: .token(.hairline), radius: 8)),
      .label(
        Label(
          FontMetrics.fitted(card.title, .strong, to: room - remarkWidth - 8),
          at: Point(frame.x + 16, frame.y + 22), .strong)),
      .label(
        Label(
          card.remark, at: Point(frame.right - 16, frame.y + 22), .small, anchor: .end,
          paint: .token(.muted))),
    ]
    let plot = Rect(frame.x + 16, frame.y + 34, room, 60)
    let inner = Frame(scene: Scene("", size: Size(0, 0)), plot: plot, range: range)
    for value in [0.0, 0.5, 1.0] {
      let y = inner.y(value)
      items.append(
        .line(
          Line(
            [Point(plot.x, y), Point(plot.right, y)],
            paint: .token(value == 0 ? .edge : .hairline), width: 1)))
    }
    for (index, value) in card.values.enumerated() {
      guard let value, value.isFinite, names.indices.contains(index),
        let bar = inner.bar(value, x: plot.x + Double(index) * pitch + 1, width: pitch - 2)
      else { continue }
      items.append(
        .group(Group("\(names[index]): \(Written.decimal(value, digits: 3))", [.box(bar)])))
    }
    // The first, the middle and the last name are enough to find the others.
    for (index, anchor) in [
      (0, Label.Anchor.start), (names.count / 2, .middle), (names.count - 1, .end),
    ] where names.indices.contains(index) {
      let x =
        switch anchor {
        case .start: plot.x
        case .middle: plot.x + (Double(index) + 0.5) * pitch
        case .end: plot.right
        }
      items.append(
        .label(
          Label(
            names[index], at: Point(x, frame.bottom - 10), .small, anchor: anchor,
            paint: .token(.muted))))
    }
    return .group(Group("", items))
  }
}
