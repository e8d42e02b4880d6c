import Inspection

/// How often values lie where, in several panels, each with its own axis.
public struct HistogramChart: Hashable, Sendable {
  /// One panel.
  public struct Series: Hashable, Sendable {
    /// What is counted.
    public var name: String
    /// A remark: how many values, how many of them no numbers.
    public var remark: String
    /// Whether the remark is about something wrong.
    public var isAlarming: Bool
    /// The values at the ends of the axis.
    public var range: ClosedRange<Double>
    /// How many values are in each bin, from the lower end of the axis to the upper.
    public var counts: [Double]

    /// A panel.
    public init(
      _ name: String, remark: String, isAlarming: Bool = false, range: ClosedRange<Double>,
      counts: [Double]
    ) {
      self.name = name
      self.remark = remark
      self.isAlarming = isAlarming
      self.range = range
      self.counts = counts
    }
  }

  /// What the picture shows.
  public var title: String
  /// What is counted, with the unit.
  public var remark: String
  /// The panels, in reading order.
  public var series: [Series] = []

  /// A picture without panels.
  public init(_ title: String, remark: String) {
    self.title = title
    self.remark = remark
  }

  /// The picture, with `columns` panels side by side.
  public func scene(columns: Int = 2) -> Scene {
    let columns = max(1, min(columns, max(1, series.count)))
    let card = Size(392, 176), gap = 14.0
    let rows = (series.count + columns - 1) / columns
    let width = 2 * Frame.margin + Double(columns) * card.width + Double(columns - 1) * gap
    let height = 86 + Double(rows) * (card.height + gap) - gap + Frame.margin
    var scene = Scene(title, summary: remark, size: Size(width, height))
    scene.items = Frame.heading(title, remark, width: width)
    for (index, content) in series.enumerated() {
      let x = Frame.margin + Double(index % columns) * (card.width + gap)
      let y = 86 + Double(index / columns) * (card.height + gap)
      scene.items.append(item(content, Rect(x, y, card.width, card.height)))
    }
    return scene
  }

  private func item(_ series: Series, _ frame: Rect) -> Item {
    let room = frame.width - 32
    let remark = FontMetrics.fitted(series.remark, .small, to: room * 0.7)
    let remarkWidth = FontMetrics.width(of: remark, .small)
    var items: [Item] = [
      .box(Box(frame, fill: .token(.panel), stroke: .token(.hairline), radius: 8)),
      .label(
        Label(
          FontMetrics.fitted(series.name, .strong, to: room - remarkWidth - 8),
          at: Point(frame.x + 16, frame.y + 22), .strong)),
    ]
    if series.isAlarming {
      items.append(
        .box(
          Box(
            Rect(frame.right - 20 - remarkWidth, frame.y + 10, remarkWidth + 8, 17),
            fill: .token(.bad), radius: 4)))
    }
    items.append(
      .label(
        Label(
          remark, at: Point(frame.right - 16, frame.y + 22), .small, anchor: .end,
          paint: .token(series.isAlarming ? .ink : .muted))))
    let plot = Rect(frame.x + 16, frame.y + 36, room, 112)
    let most = series.counts.filter(\.isFinite).max() ?? 0
    let width = plot.width / Double(max(1, series.counts.count))
    // One outline for all bins: a few hundred boxes would be a few hundred elements.
    var points = [Point(plot.x, plot.bottom)]
    for (index, count) in series.counts.enumerated() where most > 0 && count.isFinite {
      let y = plot.bottom - count / most * plot.height
      points.append(Point(plot.x + Double(index) * width, y))
      points.append(Point(plot.x + Double(index + 1) * width, y))
    }
    points.append(Point(plot.right, plot.bottom))
    items.append(.shape(Shape(.polygon(points), fill: .token(.series))))
    items.append(
      .line(
        Line(
          [Point(plot.x, plot.bottom), Point(plot.right, plot.bottom)], paint: .token(.edge),
          width: 1)))
    let range = series.range, span = range.upperBound - range.lowerBound
    var free = frame.x
    for value in ticks(in: range, count: 4) where span > 0 {
      let x = plot.x + (value - range.lowerBound) / span * plot.width
      let text = Self.written(value, span: span)
      let half = FontMetrics.width(of: text, .small) / 2
      let middle = min(max(x, frame.x + 6 + half), frame.right - 6 - half)
      items.append(
        .line(
          Line([Point(x, plot.bottom), Point(x, plot.bottom + 4)], paint: .token(.edge), width: 1)))
      guard middle - half > free + 4 else { continue }
      free = middle + half
      items.append(
        .label(
          Label(
            text, at: Point(middle, plot.bottom + 17), .small, anchor: .middle,
            paint: .token(.muted))))
    }
    return .group(Group("\(series.name): \(series.remark)", items))
  }

  /// As many digits as neighbouring marks need.
  private static func written(_ value: Double, span: Double) -> String {
    var digits = 0, unit = span
    while unit < 10, digits < 8 {
      unit *= 10
      digits += 1
    }
    return Written.decimal(value, digits: digits)
  }
}
