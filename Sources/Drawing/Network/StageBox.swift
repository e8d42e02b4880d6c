import Inspection
import StableDiffusion

/// Draws the boxes of a network: a name, a shape, and one field for each module.
struct StageBox {
  /// The width of every box.
  static let width = 196.0
  /// The height of every box.
  static let height = 56.0

  let plan: NetworkPlan
  let coloring: Coloring?

  /// The box of a stage with its upper left corner at (`x`, `y`).
  func item(_ stage: Stage, x: Double, y: Double, width: Double = Self.width) -> Item {
    let frame = Rect(x, y, width, Self.height)
    var items: [Item] = [
      .box(Box(frame, fill: .token(.card), stroke: .token(.hairline), radius: 6))
    ]
    let shape = stage.shape.map(String.init).joined(separator: "×")
    let remark = self.remark(of: stage)
    let room = width - 16
    let shapeWidth = FontMetrics.width(of: shape, .small)
    let remarkWidth = FontMetrics.width(of: remark, .small)
    let name = FontMetrics.fitted(stage.name, .strong, to: room - shapeWidth - 6)
    let nameWidth = FontMetrics.width(of: name, .strong)
    items.append(.label(Label(name, at: Point(x + 8, y + 16), .strong)))
    items.append(
      .label(
        Label(
          shape, at: Point(frame.right - 8, y + 16), .small, anchor: .end, paint: .token(.muted))))
    let gap = room - nameWidth - shapeWidth
    if !remark.isEmpty, gap >= remarkWidth + 8 {
      // Beside the name, not centred: then it stands in a column where names are of one length.
      items.append(
        .label(
          Label(
            remark, at: Point(x + 8 + nameWidth + 7, y + 16), .small,
            paint: .token(coloring == nil ? .muted : .ink))))
    }
    let count = Double(max(1, stage.modules.count))
    let fieldWidth = min((room - 4 * (count - 1)) / count, room)
    for (index, module) in stage.modules.enumerated() {
      items.append(
        field(
          module, Rect(x + 8 + Double(index) * (fieldWidth + 4), y + 22, fieldWidth, 27)))
    }
    return .group(Group(tooltip(of: stage), items))
  }

  /// What stands beside the name: the number of values, or what the colours say.
  private func remark(of stage: Stage) -> String {
    guard let coloring else { return Written.approximately(stage.elementCount) }
    return coloring.look(of: stage.parameters).words
  }

  private func tooltip(of stage: Stage) -> String {
    var text = "\(stage.name): \(stage.shape.map(String.init).joined(separator: "×")), "
    text += Written.count(stage.elementCount, "value")
    if let coloring {
      let words = coloring.look(of: stage.parameters).words
      if !words.isEmpty { text += "; \(coloring.title): \(words)" }
    }
    return text
  }

  /// One module.
  private func field(_ module: PlannedModule, _ frame: Rect) -> Item {
    let look = coloring?.look(of: [module.node.parameters])
    let fill = look?.fill ?? .token(module.token), ink = look?.ink ?? .token(.ink)
    var items: [Item] = [.box(Box(frame, fill: fill, radius: 4))]
    let marks = module.groupNormCount + module.layerNormCount
    let label = FontMetrics.fitted(module.label, .small, to: frame.width - 2)
    items.append(
      .label(
        Label(
          label, at: Point(frame.middleX, frame.y + (marks > 0 ? 12.5 : 17)), .small,
          anchor: .middle, paint: ink)))
    if marks > 0 {
      let step = min(9, (frame.width - 6) / Double(marks))
      let start = frame.middleX - step * Double(marks - 1) / 2
      for index in 0..<marks {
        let center = Point(start + step * Double(index), frame.y + 20)
        let isGroup = index < module.groupNormCount
        // On a coloured field the mark takes the ink; its form tells the two apart.
        let paint: Paint =
          look != nil ? ink : .token(isGroup ? .groupNorm : .layerNorm)
        items.append(StageBox.mark(isGroup: isGroup, at: center, paint))
      }
    }
    return .group(Group(tooltip(of: module, look?.words), items))
  }

  /// A square for a GroupNorm, a circle for a LayerNorm.
  static func mark(isGroup: Bool, at center: Point, _ paint: Paint) -> Item {
    isGroup
      ? .shape(
        Shape(
          .polygon([
            Point(center.x - 2.75, center.y - 2.75), Point(center.x + 2.75, center.y - 2.75),
            Point(center.x + 2.75, center.y + 2.75), Point(center.x - 2.75, center.y + 2.75),
          ]), fill: paint))
      : .shape(Shape(.circle(center: center, radius: 3), fill: paint))
  }

  private func tooltip(of module: PlannedModule, _ words: String?) -> String {
    let node = module.node
    var lines = [
      node.className + (node.detail.map { " (\($0.replacing("e-0", with: "e-")))" } ?? "")
    ]
    lines.append(node.component.ldmPrefix + node.path.ldm)
    lines.append("diffusers: \(node.component.folder)/\(node.path.diffusers)")
    var line = Written.count(node.elementCount, "value")
    if module.groupNormCount > 0 {
      line += ", \(Written.count(module.groupNormCount, "GroupNorm"))"
    }
    if module.layerNormCount > 0 {
      line += ", \(Written.count(module.layerNormCount, "LayerNorm"))"
    }
    lines.append(line)
    if let coloring, let words, !words.isEmpty { lines.append("\(coloring.title): \(words)") }
    return lines.joined(separator: "\n")
  }
}
