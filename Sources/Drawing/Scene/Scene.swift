/// A picture as a list of shapes and texts, before it is written in any format.
///
///     var scene = Scene("weights", size: Size(200, 40))
///     scene.items = [.box(Box(Rect(10, 10, 80, 20), fill: .token(.convolution)))]
///     scene.svg(theme: .light)
///
/// A value: the same scene gives the same bytes. Text may hold anything; whatever writes it escapes.
public struct Scene: Hashable, Sendable {
  /// What the picture shows, in a few words: its accessible name.
  public var title: String
  /// What the picture says, in a sentence or two, for those who cannot see it.
  public var summary: String
  /// The size of the canvas.
  public var size: Size
  /// What is drawn, from back to front.
  public var items: [Item]

  /// ``size`` in whole pixels, so that no edge is half transparent.
  var canvas: Size { Size(size.width.rounded(.up), size.height.rounded(.up)) }

  /// A picture without anything in it.
  public init(_ title: String, summary: String = "", size: Size) {
    self.title = title
    self.summary = summary
    self.size = size
    items = []
  }
}

/// One thing in a picture.
public indirect enum Item: Hashable, Sendable {
  /// A rectangle.
  case box(Box)
  /// A line of text.
  case label(Label)
  /// A line through points.
  case line(Line)
  /// A filled shape.
  case shape(Shape)
  /// Things that belong together.
  case group(Group)
}

/// A rectangle, perhaps with round corners.
public struct Box: Hashable, Sendable {
  /// Where it is.
  public var frame: Rect
  /// What fills it.
  public var fill: Paint
  /// What its edge is drawn with.
  public var stroke: Paint
  /// The radius of its corners.
  public var radius: Double

  /// A rectangle.
  public init(_ frame: Rect, fill: Paint, stroke: Paint = .none, radius: Double = 0) {
    self.frame = frame
    self.fill = fill
    self.stroke = stroke
    self.radius = radius
  }
}

/// How text is set: five sizes, two weights, nothing else.
public enum TextStyle: String, CaseIterable, Sendable {
  /// The name of the picture.
  case title
  /// The name of a part.
  case heading
  /// What names a box.
  case strong
  /// Ordinary text.
  case body
  /// Numbers and remarks beside others.
  case small

  /// The size of the letters, in pixels.
  public var size: Double {
    switch self {
    case .title: 22
    case .heading: 14
    case .strong, .body: 11
    case .small: 10
    }
  }

  /// Whether it is bold.
  public var isBold: Bool {
    switch self {
    case .title, .heading, .strong: true
    case .body, .small: false
    }
  }
}

/// A line of text.
public struct Label: Hashable, Sendable {
  /// Which part of the text is at the position.
  public enum Anchor: String, Sendable { case start, middle, end }

  /// The text.
  public var text: String
  /// The end of the base line that ``anchor`` names.
  public var position: Point
  /// How it is set.
  public var style: TextStyle
  /// Which part of the text is at ``position``.
  public var anchor: Anchor
  /// Its colour.
  public var paint: Paint

  /// A line of text.
  public init(
    _ text: String, at position: Point, _ style: TextStyle = .body, anchor: Anchor = .start,
    paint: Paint = .token(.ink)
  ) {
    self.text = text
    self.position = position
    self.style = style
    self.anchor = anchor
    self.paint = paint
  }

  /// The room it takes in the widest font that it may be shown in.
  public var bounds: Rect {
    let width = FontMetrics.width(of: text, style)
    let left =
      switch anchor {
      case .start: position.x
      case .middle: position.x - width / 2
      case .end: position.x - width
      }
    return Rect(left, position.y - 0.76 * style.size, width, 0.97 * style.size)
  }
}

/// A line through points, perhaps with an arrow at its end.
public struct Line: Hashable, Sendable {
  /// The points.
  public var points: [Point]
  /// Its colour.
  public var paint: Paint
  /// Its width.
  public var width: Double
  /// Whether there is an arrow at the last point.
  public var hasArrow: Bool
  /// Whether it is dashed.
  public var isDashed: Bool

  /// A line.
  public init(
    _ points: [Point], paint: Paint = .token(.edge), width: Double = 1.25, hasArrow: Bool = false,
    isDashed: Bool = false
  ) {
    self.points = points
    self.paint = paint
    self.width = width
    self.hasArrow = hasArrow
    self.isDashed = isDashed
  }
}

/// A filled shape other than a rectangle.
public struct Shape: Hashable, Sendable {
  /// Its outline.
  public enum Outline: Hashable, Sendable {
    /// A circle.
    case circle(center: Point, radius: Double)
    /// A polygon.
    case polygon([Point])
  }

  /// Its outline.
  public var outline: Outline
  /// What fills it.
  public var fill: Paint

  /// A shape.
  public init(_ outline: Outline, fill: Paint) {
    self.outline = outline
    self.fill = fill
  }
}

/// Things that belong together.
public struct Group: Hashable, Sendable {
  /// What is said about them when they are pointed at, or are read aloud.
  public var tooltip: String
  /// What is drawn, from back to front.
  public var items: [Item]

  /// Things that belong together.
  public init(_ tooltip: String = "", _ items: [Item] = []) {
    self.tooltip = tooltip
    self.items = items
  }
}

extension Scene {
  /// Every item that is no group, from back to front.
  public var leaves: [Item] {
    var result: [Item] = []
    func add(_ items: [Item]) {
      for item in items {
        if case .group(let group) = item { add(group.items) } else { result.append(item) }
      }
    }
    add(items)
    return result
  }

  /// The same picture as part of another, moved to `offset`.
  public func moved(to offset: Point) -> [Item] { items.map { $0.moved(by: offset) } }
}

extension Item {
  fileprivate func moved(by offset: Point) -> Item {
    func move(_ point: Point) -> Point { Point(point.x + offset.x, point.y + offset.y) }
    switch self {
    case .box(var box):
      box.frame.x += offset.x
      box.frame.y += offset.y
      return .box(box)
    case .label(var label):
      label.position = move(label.position)
      return .label(label)
    case .line(var line):
      line.points = line.points.map(move)
      return .line(line)
    case .shape(var shape):
      switch shape.outline {
      case .circle(let center, let radius):
        shape.outline = .circle(center: move(center), radius: radius)
      case .polygon(let points): shape.outline = .polygon(points.map(move))
      }
      return .shape(shape)
    case .group(var group):
      group.items = group.items.map { $0.moved(by: offset) }
      return .group(group)
    }
  }
}
