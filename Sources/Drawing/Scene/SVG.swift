extension Scene {
  /// The picture as an SVG file of its own, in the colours of a theme.
  ///
  /// - Parameters:
  ///   - theme: the background it is made for.
  ///   - hasBackground: whether the canvas is painted.
  /// - Returns: the file, with a line break at its end.
  public func svg(theme: Theme, hasBackground: Bool = true) -> String {
    var writer = SVGWriter(colors: .literal(theme))
    let width = canvas.width.coordinate, height = canvas.height.coordinate
    writer.text +=
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
      + "viewBox=\"0 0 \(width) \(height)\" role=\"img\" "
      + "font-family=\"\(FontMetrics.families)\">\n"
    writer.text += "<title>\(title.markupEscaped)</title>\n"
    if !summary.isEmpty { writer.text += "<desc>\(summary.markupEscaped)</desc>\n" }
    if hasBackground {
      writer.add(.box(Box(Rect(0, 0, canvas.width, canvas.height), fill: .token(.canvas))))
    }
    for item in items { writer.add(item) }
    writer.text += "</svg>\n"
    return writer.text
  }

  /// The picture as an element of an HTML page that has ``styleSheet``, light or dark as the page.
  ///
  /// - Parameter name: a class for the element.
  /// - Returns: the element, with a line break at its end.
  package func inlineSVG(class name: String) -> String {
    var writer = SVGWriter(colors: .classes)
    let width = canvas.width.coordinate, height = canvas.height.coordinate
    writer.text +=
      "<svg class=\"\(name.markupEscaped)\" width=\"\(width)\" height=\"\(height)\" "
      + "viewBox=\"0 0 \(width) \(height)\" "
      + "role=\"img\" aria-label=\"\(title.markupEscaped)\">\n"
    if !summary.isEmpty { writer.text += "<desc>\(summary.markupEscaped)</desc>\n" }
    for item in items { writer.add(item) }
    writer.text += "</svg>\n"
    return writer.text
  }

  /// The style sheet that ``inlineSVG(class:)`` needs: every paint as a class, in both themes.
  package static let styleSheet: String = {
    func rules(_ theme: Theme) -> String {
      var text = ""
      func add(_ paint: Paint) {
        guard let color = theme.color(of: paint), let name = paint.className else { return }
        text += ".f-\(name){fill:\(color.css)}.s-\(name){stroke:\(color.css)}"
      }
      for token in Token.allCases { add(.token(token)) }
      for scale in Scale.allCases {
        for step in 0..<Scale.steps {
          add(.scale(scale, step))
          add(.onScale(scale, step))
        }
      }
      return text
    }
    var text = "svg text{stroke:none}"
    for style in TextStyle.allCases {
      text += ".t-\(style.rawValue){font-size:\(style.size.coordinate)px"
      text += (style.isBold ? ";font-weight:700" : "") + "}"
    }
    return text + "\n" + rules(.light) + "\n@media (prefers-color-scheme:dark){" + rules(.dark)
      + "}\n@media print{" + rules(.light) + "}\n"
  }()
}

extension Paint {
  /// The end of the names of its classes.
  fileprivate var className: String? {
    switch self {
    case .none: nil
    case .token(let token): token.rawValue
    case .scale(let scale, let step): "\(scale.rawValue)\(step)"
    case .onScale(let scale, let step): "on-\(scale.rawValue)\(step)"
    }
  }
}

/// An SVG text under construction.
private struct SVGWriter {
  /// How colours are named.
  enum Colors {
    /// As numbers, of one theme.
    case literal(Theme)
    /// By classes of a style sheet.
    case classes
  }

  let colors: Colors
  var text = ""

  init(colors: Colors) { self.colors = colors }

  /// Attributes for fill and stroke, with a blank before each.
  private func attributes(fill: Paint, stroke: Paint = .none, style: TextStyle? = nil) -> String {
    switch colors {
    case .literal(let theme):
      var text = " fill=\"\(theme.color(of: fill)?.css ?? "none")\""
      if let color = theme.color(of: stroke) { text += " stroke=\"\(color.css)\"" }
      if let style {
        text += " font-size=\"\(style.size.coordinate)\""
        if style.isBold { text += " font-weight=\"700\"" }
      }
      return text
    case .classes:
      var names: [String] = []
      if let name = fill.className { names.append("f-" + name) }
      if let name = stroke.className { names.append("s-" + name) }
      if let style { names.append("t-" + style.rawValue) }
      let list = names.isEmpty ? "" : " class=\"\(names.joined(separator: " "))\""
      return (fill == .none ? " fill=\"none\"" : "") + list
    }
  }

  mutating func add(_ item: Item) {
    switch item {
    case .box(let box): add(box)
    case .label(let label): add(label)
    case .line(let line): add(line)
    case .shape(let shape): add(shape)
    case .group(let group):
      text += "<g>"
      if !group.tooltip.isEmpty { text += "<title>\(group.tooltip.linesEscaped)</title>" }
      text += "\n"
      for item in group.items { add(item) }
      text += "</g>\n"
    }
  }

  private mutating func add(_ box: Box) {
    let frame = box.frame
    text += "<rect x=\"\(frame.x.coordinate)\" y=\"\(frame.y.coordinate)\""
    text += " width=\"\(frame.width.coordinate)\" height=\"\(frame.height.coordinate)\""
    if box.radius > 0 { text += " rx=\"\(box.radius.coordinate)\"" }
    text += attributes(fill: box.fill, stroke: box.stroke) + "/>\n"
  }

  private mutating func add(_ label: Label) {
    text += "<text x=\"\(label.position.x.coordinate)\" y=\"\(label.position.y.coordinate)\""
    if label.anchor != .start { text += " text-anchor=\"\(label.anchor.rawValue)\"" }
    text += attributes(fill: label.paint, style: label.style)
    text += ">\(label.text.markupEscaped)</text>\n"
  }

  private mutating func add(_ line: Line) {
    text += "<polyline points=\"\(Self.list(line.points))\""
    text += attributes(fill: .none, stroke: line.paint)
    text += " stroke-width=\"\(line.width.coordinate)\""
    if line.isDashed { text += " stroke-dasharray=\"3 3\"" }
    text += "/>\n"
    if line.hasArrow, let shape = line.arrow { add(shape) }
  }

  private mutating func add(_ shape: Shape) {
    switch shape.outline {
    case .circle(let center, let radius):
      text += "<circle cx=\"\(center.x.coordinate)\" cy=\"\(center.y.coordinate)\""
      text += " r=\"\(radius.coordinate)\""
    case .polygon(let points): text += "<polygon points=\"\(Self.list(points))\""
    }
    text += attributes(fill: shape.fill) + "/>\n"
  }

  private static func list(_ points: [Point]) -> String {
    points.map { "\($0.x.coordinate),\($0.y.coordinate)" }.joined(separator: " ")
  }
}

extension Line {
  /// The arrow at its end, in the direction of its last part, which is parallel to an axis.
  fileprivate var arrow: Shape? {
    guard points.count > 1 else { return nil }
    let end = points[points.count - 1], before = points[points.count - 2]
    let dx = end.x - before.x, dy = end.y - before.y
    let length = (dx * dx + dy * dy).squareRoot()
    guard length > 0 else { return nil }
    let (ux, uy) = (dx / length, dy / length)
    let back = Point(end.x - 6 * ux, end.y - 6 * uy)
    return Shape(
      .polygon([
        end, Point(back.x - 3.5 * uy, back.y + 3.5 * ux),
        Point(back.x + 3.5 * uy, back.y - 3.5 * ux),
      ]), fill: paint)
  }
}
