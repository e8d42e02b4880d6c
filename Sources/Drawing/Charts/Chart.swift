import Inspection

/// What charts have in common: a heading, an axis of values with fine lines.
struct Frame {
  /// The whole picture.
  var scene: Scene
  /// Where values are drawn.
  let plot: Rect
  /// The values at the lower and upper edge of the plot.
  let range: ClosedRange<Double>

  /// Space around everything.
  static let margin = 24.0

  /// The heading of a picture; its lower edge is at 78.
  static func heading(_ title: String, _ remark: String, width: Double) -> [Item] {
    let room = width - 2 * margin
    return [
      .label(Label(FontMetrics.fitted(title, .title, to: room), at: Point(margin, 42), .title)),
      .label(
        Label(
          FontMetrics.fitted(remark, .body, to: room), at: Point(margin, 62), .body,
          paint: .token(.muted))),
    ]
  }

  /// The height of a value in the plot.
  func y(_ value: Double) -> Double {
    let width = range.upperBound - range.lowerBound
    let share = width > 0 ? (value - range.lowerBound) / width : 0
    return plot.bottom - min(max(share, 0), 1) * plot.height
  }

  /// The bar of a value, on its own side of the axis and visible however short it is.
  ///
  /// - Parameters:
  ///   - value: its height.
  ///   - x: its left edge.
  ///   - width: its width.
  ///   - radius: the radius of its corners.
  /// - Returns: the bar; none for 0, and for what is no number.
  func bar(_ value: Double?, x: Double, width: Double, radius: Double = 0) -> Box? {
    guard let value, value != 0, !value.isNaN else { return nil }
    let zero = y(0), height = max(1.5, abs(zero - y(value)))
    return Box(
      Rect(x, value < 0 ? zero : zero - height, width, height), fill: Ramp.sign(of: value),
      radius: radius)
  }

  /// Fine lines at round values, with the values at their left.
  func grid(count: Int = 4, written: (Double) -> String) -> [Item] {
    ticks(in: range, count: count).flatMap { value -> [Item] in
      let y = self.y(value)
      return [
        .line(
          Line(
            [Point(plot.x, y), Point(plot.right, y)],
            paint: .token(value == 0 ? .edge : .hairline), width: 1)),
        .label(
          Label(
            FontMetrics.fitted(written(value), .small, to: plot.x - 16),
            at: Point(plot.x - 8, y + 3.5), .small, anchor: .end,
            paint: .token(.muted))),
      ]
    }
  }
}

/// Round values that divide a range into about `count` parts: 1, 2 or 5 times a power of ten apart.
func ticks(in range: ClosedRange<Double>, count: Int) -> [Double] {
  let width = range.upperBound - range.lowerBound
  guard width > 0, width.isFinite, count > 0 else { return [range.lowerBound] }
  var unit = 1.0
  // Multiplying is exact where it matters: the steps used in practice are near 1.
  while unit > width / Double(count) { unit /= 10 }
  while unit * 10 <= width / Double(count) { unit *= 10 }
  let wanted = width / Double(count)
  let step =
    [unit, 2 * unit, 5 * unit, 10 * unit].min {
      abs($0 - wanted) < abs($1 - wanted)
    } ?? unit
  let first = (range.lowerBound / step).rounded(.up),
    last = (range.upperBound / step + 1e-9).rounded(.down)
  guard first <= last, last - first < 100 else { return [range.lowerBound] }
  return stride(from: first, through: last, by: 1).map { $0 * step }
}
