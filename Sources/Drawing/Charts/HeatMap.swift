import Inspection

/// A table of coloured cells, such as the change at each place and in each kind of layer.
public struct HeatMap: Hashable, Sendable {
  /// What the picture shows.
  public var title: String
  /// What the values are, with the unit.
  public var remark: String
  /// A second line below the title: what is compared with what.
  public var detail = ""
  /// The names of the rows.
  public var rows: [String]
  /// The names of the columns.
  public var columns: [String]
  /// For each row its cells; `nil` where there is nothing to show.
  public var values: [[Double?]]
  /// For each row what its cells are where they are no numbers, or not wholly; none if empty.
  public var states: [[Coloring.State]] = []
  /// How numbers are written.
  public var notation: Coloring.Notation

  /// A table whose scale goes from 0 to the largest finite value, or to both sides of 0 if there
  /// are values below it.
  public init(
    _ title: String, remark: String, rows: [String], columns: [String], values: [[Double?]],
    notation: Coloring.Notation = .percentage
  ) {
    self.title = title
    self.remark = remark
    self.rows = rows
    self.columns = columns
    self.values = values
    self.notation = notation
  }

  /// The picture.
  public var scene: Scene {
    let left = Frame.margin + 10 + (rows.map { FontMetrics.width(of: $0, .strong) }.max() ?? 0)
    let words = values.joined().compactMap { $0.map { Coloring.written($0, notation) } }
    let cell = Size(
      12
        + max(
          28, columns.map { FontMetrics.width(of: $0, .strong) }.max() ?? 0,
          words.map { FontMetrics.width(of: $0, .small) }.max() ?? 0), 22)
    let width = max(440, left + Double(columns.count) * (cell.width + 3) + Frame.margin)
    let top = detail.isEmpty ? 108.0 : 124.0, bottom = top + Double(rows.count) * (cell.height + 3)
    let numbers = values.enumerated().flatMap { row, cells in
      cells.enumerated().compactMap { state(row, $0) == .measured ? $1 : nil }
    }
    let ramp = Ramp(over: numbers)
    var scene = Scene(title, summary: remark, size: Size(width, bottom + 14 + 24 + Frame.margin))
    scene.items = Frame.heading(title, remark, width: width)
    let room = width - 2 * Frame.margin
    scene.items.append(
      .label(
        Label(
          FontMetrics.fitted(detail, .body, to: room), at: Point(Frame.margin, 78), .body,
          paint: .token(.muted))))
    for (column, name) in columns.enumerated() {
      let middle = left + (Double(column) + 0.5) * (cell.width + 3) - 1.5
      scene.items.append(
        .label(Label(name, at: Point(middle, top - 9), .strong, anchor: .middle)))
    }
    for (row, name) in rows.enumerated() {
      let y = top + Double(row) * (cell.height + 3)
      scene.items.append(
        .label(Label(name, at: Point(left - 10, y + 15), .strong, anchor: .end)))
      guard values.indices.contains(row) else { continue }
      for (column, value) in values[row].prefix(columns.count).enumerated() {
        let frame = Rect(left + Double(column) * (cell.width + 3), y, cell.width, cell.height)
        let state = state(row, column)
        scene.items.append(
          state == .measured
            ? item(value, frame, ramp, tooltip: "\(name), \(columns[column])")
            : item(state, frame, tooltip: "\(name), \(columns[column])"))
      }
    }
    var legend = Legend.Row(x: left, y: bottom + 12, width: width - left - Frame.margin)
    legend.add(ramp, notation)
    let used = Set(states.joined())
    for state in Coloring.State.allCases where state != .measured && used.contains(state) {
      legend.addSwatch(.token(state.token), state.legend)
    }
    scene.items += legend.items
    scene.size.height += legend.height - 20
    return scene
  }

  private func state(_ row: Int, _ column: Int) -> Coloring.State {
    guard states.indices.contains(row), states[row].indices.contains(column) else {
      return .measured
    }
    return states[row][column]
  }

  /// A cell that has no number, or not for all that it stands for.
  private func item(_ state: Coloring.State, _ frame: Rect, tooltip: String) -> Item {
    .group(
      Group(
        "\(tooltip): \(state.legend)",
        [
          .box(Box(frame, fill: .token(state.token), radius: 3)),
          .label(
            Label(
              FontMetrics.fitted(state.words, .small, to: frame.width - 4),
              at: Point(frame.middleX, frame.y + 15), .small, anchor: .middle)),
        ]))
  }

  private func item(
    _ value: Double?, _ frame: Rect, _ ramp: Ramp, tooltip: String
  ) -> Item {
    guard let value else {
      // Nothing is there: the mark says so without a colour.
      return .line(
        Line(
          [Point(frame.middleX - 3, frame.middleY), Point(frame.middleX + 3, frame.middleY)],
          paint: .token(.hairline)))
    }
    let words = Coloring.written(value, notation)
    let look = ramp.look(of: value)
    return .group(
      Group(
        "\(tooltip): \(words)",
        [
          .box(Box(frame, fill: look.fill, radius: 3)),
          .label(
            Label(
              words, at: Point(frame.middleX, frame.y + 15), .small, anchor: .middle,
              paint: look.ink)),
        ]))
  }
}
