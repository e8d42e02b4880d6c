import Inspection
import StableDiffusion

/// A part of a picture of the network, with its own coordinates.
struct Panel {
  /// Its size.
  var size: Size
  /// What is drawn.
  var items: [Item] = []

  /// Space between the edge of a panel and what is in it.
  static let margin = 16.0
  /// The lower edge of a panel's heading.
  static let top = 58.0

  /// An empty panel with a heading and a remark below it.
  init(_ title: String, _ remark: String, size: Size) {
    self.size = size
    let frame = Rect(0, 0, size.width, size.height)
    let room = size.width - 2 * Self.margin
    items = [
      .box(Box(frame, fill: .token(.panel), stroke: .token(.hairline), radius: 10)),
      .label(Label(title, at: Point(Self.margin, 26), .heading)),
      .label(
        Label(
          FontMetrics.fitted(remark, .small, to: room), at: Point(Self.margin, 43), .small,
          paint: .token(.muted))),
    ]
  }

  /// The same panel, higher.
  func stretched(to height: Double) -> Panel {
    var copy = self
    copy.size.height = max(size.height, height)
    if case .box(var box) = items.first {
      box.frame.height = copy.size.height
      copy.items[0] = .box(box)
    }
    return copy
  }

  /// What is drawn, with the panel's corner at `offset`.
  func moved(to offset: Point) -> [Item] {
    var scene = Scene("", size: size)
    scene.items = items
    return scene.moved(to: offset)
  }
}

/// Draws the panels of the network.
struct NetworkPanels {
  let plan: NetworkPlan
  let box: StageBox
  /// Whether everything is as narrow as it can be, for small screens.
  let isNarrow: Bool

  /// The distance from one box of a column to the next.
  private static let gap = 10.0
  private static let step = StageBox.height + gap

  private func count(_ component: Component) -> String {
    let values = plan.schema.parameters(of: component).reduce(0) { $0 &+ $1.elementCount }
    return Written.count(values) + " values"
  }

  /// Short lines from each box of a column to the next.
  private func links(_ count: Int, x: Double, y: Double, isUpward: Bool = false) -> [Item] {
    (0..<max(0, count - 1)).map { index in
      let from = y + Double(index) * Self.step + StageBox.height
      let points = [Point(x, from), Point(x, from + Self.step - StageBox.height)]
      return .line(Line(isUpward ? points.reversed() : points, hasArrow: true))
    }
  }

  private func column(_ stages: [Stage], x: Double, y: Double, width: Double) -> [Item] {
    links(stages.count, x: x + width / 2, y: y)
      + stages.enumerated().map { index, stage in
        box.item(stage, x: x, y: y + Double(index) * Self.step, width: width)
      }
  }

  /// A text that names what goes in or comes out.
  private func caption(_ text: String, x: Double, y: Double) -> Item {
    .label(Label(text, at: Point(x, y), .small, anchor: .middle, paint: .token(.muted)))
  }

  /// The text encoder: one column.
  func textEncoder() -> Panel {
    let stages = plan.textEncoder, width = isNarrow ? 392.0 : StageBox.width
    let top = Panel.top + 22
    let height = top + Double(stages.count) * Self.step - Self.gap + 34
    var panel = Panel(
      "Text encoder · CLIP", count(.textEncoder),
      size: Size(width + 2 * Panel.margin, height))
    let x = Panel.margin, middle = x + width / 2
    panel.items += [
      caption("prompt: \(plan.schema.dimensions[.positions]) tokens", x: middle, y: top - 10)
    ]
    panel.items += column(stages, x: x, y: top, width: width)
    let shape = (stages.last?.shape ?? []).map(String.init).joined(separator: "×")
    panel.items += [
      caption("context \(shape) → every Attn of the U-Net", x: middle, y: height - 13)
    ]
    return panel
  }

  /// The VAE: the encoder's column, and the decoder's.
  func vae() -> Panel {
    let rows = max(plan.encoder.count, plan.decoder.count)
    let top = Panel.top + 22, width = isNarrow ? 190.0 : StageBox.width
    let height = top + Double(rows) * Self.step - Self.gap + 34
    let left = Panel.margin, right = left + width + 12
    var panel = Panel(
      "VAE · encoder and decoder", count(.vae),
      size: Size(2 * width + 12 + 2 * Panel.margin, height))
    let channels = plan.schema.dimensions[.latent]
    let image = plan.schema.dimensions[.image], size = plan.resolution
    panel.items += column(plan.encoder, x: left, y: top, width: width)
    panel.items += column(plan.decoder, x: right, y: top, width: width)
    func shape(_ channels: Int, _ factor: Int) -> String {
      "\(channels)×\(size.height / factor)×\(size.width / factor)"
    }
    let (a, b) = (left + width / 2, right + width / 2)
    panel.items += [
      caption("image \(shape(image, 1))", x: a, y: top - 10),
      caption("latent \(shape(channels, 8))", x: b, y: top - 10),
      caption("mean and variance of the latent", x: a, y: height - 13),
      caption("image \(shape(image, 1))", x: b, y: height - 13),
    ]
    return panel
  }

  /// The U-Net: down on the left, up on the right, what is kept in between.
  func unet() -> Panel {
    let boxWidth = isNarrow ? 190.0 : StageBox.width
    let indent = isNarrow ? 0.0 : 28.0, gap = isNarrow ? 12.0 : 64.0
    let inner = 2 * boxWidth + 6 * indent + gap
    let width = inner + 2 * Panel.margin
    // Above the stages: what goes in, the time embedding, what comes out.
    let head = isNarrow ? 2 * Self.step : Self.step
    let top = Panel.top + 22 + head + 14
    let rows = max(plan.input.count, plan.output.count)
    let levelGap = 14.0
    func y(_ row: Int) -> Double { top + Double(row) * Self.step + Double(row / 3) * levelGap }
    let bottom = y(rows) + 6
    let height = bottom + StageBox.height + Panel.margin
    var panel = Panel("U-Net · noise predictor", count(.unet), size: Size(width, height))
    let left = Panel.margin, right = width - Panel.margin - boxWidth
    func leftX(_ row: Int) -> Double { left + Double(row / 3) * indent }
    func rightX(_ row: Int) -> Double { right - Double(row / 3) * indent }

    // What is kept of each stage on the left goes to its counterpart on the right.
    for row in 0..<min(plan.input.count, plan.output.count) {
      let middle = y(row) + StageBox.height / 2
      let from = leftX(row) + boxWidth, to = rightX(row)
      panel.items.append(
        .line(Line([Point(from, middle), Point(to, middle)], hasArrow: true, isDashed: true)))
      let text = plan.input[row].shape.first.map(String.init) ?? ""
      let full = isNarrow ? "" : "keep \(text)"
      let label = to - from > FontMetrics.width(of: full, .small) + 20 ? full : text
      if to - from > FontMetrics.width(of: label, .small) + 8, !label.isEmpty {
        panel.items.append(caption(label, x: (from + to) / 2 - 2, y: middle - 5))
      }
    }
    // Down on the left, up on the right; a change of level shifts the box but not the arrow.
    for row in 0..<max(0, rows - 1) {
      let from = y(row) + StageBox.height, to = y(row + 1)
      let a = leftX(row + 1) + boxWidth / 2 - indent / 2
      let b = rightX(row + 1) + boxWidth / 2 + indent / 2
      panel.items.append(.line(Line([Point(a, from), Point(a, to)], hasArrow: true)))
      panel.items.append(.line(Line([Point(b, to), Point(b, from)], hasArrow: true)))
    }
    for (row, stage) in plan.input.enumerated() {
      panel.items.append(box.item(stage, x: leftX(row), y: y(row), width: boxWidth))
    }
    for (index, stage) in plan.output.enumerated() {
      let row = plan.output.count - 1 - index
      panel.items.append(box.item(stage, x: rightX(row), y: y(row), width: boxWidth))
    }
    panel.items += bottomItems(
      leftX(rows - 1), rightX(rows - 1), boxWidth, from: y(rows - 1) + StageBox.height, to: bottom)
    panel.items += headItems(left, right, boxWidth, width: width, y: Panel.top + 22, to: top)
    return panel
  }

  /// The stage at the bottom, and the way through it.
  private func bottomItems(
    _ left: Double, _ right: Double, _ width: Double, from: Double, to: Double
  ) -> [Item] {
    guard let middle = plan.middle else { return [] }
    let x = (left + right) / 2, y = to + StageBox.height / 2
    let a = left + width / 2, b = right + width / 2
    let isBeside = a < x && b > x + width
    guard isBeside else {
      let gap = min(a, x + 24), other = max(b, x + width - 24)
      return [
        .line(Line([Point(max(gap, x + 12), from), Point(max(gap, x + 12), to)], hasArrow: true)),
        .line(
          Line(
            [Point(min(other, x + width - 12), to), Point(min(other, x + width - 12), from)],
            hasArrow: true)),
        box.item(middle, x: x, y: to, width: width),
      ]
    }
    return [
      .line(Line([Point(a, from), Point(a, y), Point(x, y)], hasArrow: true)),
      .line(Line([Point(x + width, y), Point(b, y), Point(b, from)], hasArrow: true)),
      box.item(middle, x: x, y: to, width: width),
    ]
  }

  /// What goes in, the time embedding, what comes out.
  private func headItems(
    _ left: Double, _ right: Double, _ width: Double, width panel: Double, y: Double, to: Double
  ) -> [Item] {
    let dimensions = plan.schema.dimensions
    let size = "\(plan.resolution.height / 8)×\(plan.resolution.width / 8)"
    let a = left + width / 2, b = right + width / 2
    var items: [Item] = []
    let boxY = to - 14 - StageBox.height
    if let last = plan.last {
      items.append(.line(Line([Point(b, to), Point(b, boxY + StageBox.height)], hasArrow: true)))
      items.append(box.item(last, x: right, y: boxY, width: width))
      let words = "noise \(dimensions[.unetOutput])×\(size)"
      items.append(caption(words, x: b, y: boxY - 10))
    }
    let words = "latent \(dimensions[.unetInput])×\(size)"
    items.append(caption(words, x: a, y: boxY + 12))
    items.append(.line(Line([Point(a, boxY + 20), Point(a, to)], hasArrow: true)))
    if let time = plan.time {
      let x = isNarrow ? left : (panel - width) / 2
      let timeY = isNarrow ? y : boxY
      items.append(box.item(time, x: x, y: timeY, width: width))
      items.append(caption("time step → every Res", x: x + width / 2, y: timeY - 10))
    }
    return items
  }
}
