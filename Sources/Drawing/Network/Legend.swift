/// What the colours of a picture mean.
struct Legend {
  let coloring: Coloring?

  /// The legend in rows of at most `width`, and its height.
  func items(x: Double, y: Double, width: Double) -> (items: [Item], height: Double) {
    var row = Row(x: x, y: y, width: width)
    guard let coloring else {
      let kinds: [(String, Token)] = [
        ("convolution", .convolution), ("residual block", .residual), ("attention", .attention),
        ("change of size", .resampling), ("linear layers", .linear), ("table", .embedding),
        ("normalisation", .normalization),
      ]
      for (name, token) in kinds { row.addSwatch(.token(token), name) }
      row.addMark(isGroup: true, .token(.groupNorm), "one GroupNorm")
      row.addMark(isGroup: false, .token(.layerNorm), "one LayerNorm")
      row.addDash("kept for the way up")
      return (row.items, row.height)
    }
    switch coloring.content {
    case .numbers(_, let ramp, _, let notation):
      row.addText(coloring.title)
      row.add(ramp, notation)
      for state in coloring.usedStates { row.addSwatch(.token(state.token), state.legend) }
    case .categories(_, let categories, _):
      row.addText(coloring.title)
      for category in categories { row.addSwatch(.token(category.token), category.title) }
    }
    if coloring.hasAbsent { row.addSwatch(.token(.absent), coloring.absent) }
    row.addMark(isGroup: true, .token(.ink), "one GroupNorm")
    row.addMark(isGroup: false, .token(.ink), "one LayerNorm")
    return (row.items, row.height)
  }

  /// Entries one after another, in as many rows as they need.
  struct Row {
    let x: Double
    let y: Double
    let width: Double
    private(set) var items: [Item] = []
    private var position = 0.0
    private var line = 0.0

    init(x: Double, y: Double, width: Double) {
      self.x = x
      self.y = y
      self.width = width
    }

    var height: Double { line + 20 }

    /// Room for an entry of a width; where it begins.
    private mutating func room(for extent: Double) -> Point {
      if position > 0, position + extent > width {
        position = 0
        line += 22
      }
      defer { position += extent + 20 }
      return Point(x + position, y + line)
    }

    private func label(_ text: String, _ x: Double, _ y: Double, _ paint: Token = .ink) -> Item {
      .label(Label(text, at: Point(x, y + 13), .small, paint: .token(paint)))
    }

    mutating func addText(_ text: String) {
      let text = FontMetrics.fitted(text, .strong, to: width)
      let point = room(for: FontMetrics.width(of: text, .strong))
      items.append(.label(Label(text, at: Point(point.x, point.y + 13), .strong)))
    }

    mutating func addSwatch(_ paint: Paint, _ text: String) {
      let point = room(for: 20 + FontMetrics.width(of: text, .small))
      items.append(
        .box(
          Box(Rect(point.x, point.y + 3, 14, 13), fill: paint, stroke: .token(.hairline), radius: 3)
        ))
      items.append(label(text, point.x + 20, point.y))
    }

    mutating func addMark(isGroup: Bool, _ paint: Paint, _ text: String) {
      let point = room(for: 13 + FontMetrics.width(of: text, .small))
      items.append(StageBox.mark(isGroup: isGroup, at: Point(point.x + 4, point.y + 9.5), paint))
      items.append(label(text, point.x + 13, point.y))
    }

    mutating func addDash(_ text: String) {
      let point = room(for: 32 + FontMetrics.width(of: text, .small))
      let y = point.y + 9.5
      items.append(
        .line(Line([Point(point.x, y), Point(point.x + 26, y)], hasArrow: true, isDashed: true)))
      items.append(label(text, point.x + 32, point.y))
    }

    mutating func add(_ ramp: Ramp, _ notation: Coloring.Notation) {
      let low = Coloring.written(ramp.range.lowerBound, notation)
      let high = Coloring.written(ramp.range.upperBound, notation)
      let before = FontMetrics.width(of: low, .small), after = FontMetrics.width(of: high, .small)
      let point = room(for: before + after + 12 + Double(Scale.steps) * 10)
      items.append(label(low, point.x, point.y))
      // On whole pixels, so that neighbouring steps leave no seam.
      let start = (point.x + before + 6).rounded()
      for step in 0..<Scale.steps {
        items.append(
          .box(
            Box(
              Rect(start + Double(step) * 10, point.y + 3, 10, 13), fill: .scale(ramp.scale, step)))
        )
      }
      items.append(label(high, start + Double(Scale.steps) * 10 + 6, point.y))
    }
  }
}
