import Inspection
import StableDiffusion

extension NetworkPanels {
  /// What is inside a field, layer by layer: the first module of the U-Net of the given class.
  func anatomy(of className: String, _ title: String, formula: String, width: Double) -> Panel? {
    let stages = plan.input
    guard
      let node = stages.lazy.flatMap(\.modules).map(\.node).first(where: {
        $0.className == className
      })
    else { return nil }
    let rows = layers(of: node)
    let height = Panel.top + Double(rows.count) * 20 + 8
    var panel = Panel(
      title, FontMetrics.fitted(formula, .small, to: width - 2 * Panel.margin),
      size: Size(width, height))
    for (index, row) in rows.enumerated() {
      let y = Panel.top + Double(index) * 20
      let frame = Rect(Panel.margin, y - 2, 104, 17)
      panel.items.append(.box(Box(frame, fill: .token(row.token), radius: 4)))
      var x = frame.x + 8
      if let isGroup = row.isGroup {
        panel.items.append(
          StageBox.mark(
            isGroup: isGroup, at: Point(x + 2, frame.middleY),
            .token(isGroup ? .groupNorm : .layerNorm)))
        x += 11
      }
      panel.items.append(.label(Label(row.name, at: Point(x, y + 10), .small)))
      let path = FontMetrics.fitted(row.path, .small, to: 96)
      panel.items.append(
        .label(Label(path, at: Point(frame.right + 10, y + 10), .small, paint: .token(.muted))))
      let detail = FontMetrics.fitted(
        row.detail, .small, to: width - Panel.margin - frame.right - 10 - 96 - 8)
      panel.items.append(
        .label(
          Label(
            detail, at: Point(width - Panel.margin, y + 10), .small, anchor: .end,
            paint: .token(.ink))))
    }
    return panel
  }

  private struct Row {
    var name: String
    var path: String
    var detail: String
    var token: Token
    var isGroup: Bool?
  }

  /// The layers of a module; an attention is one row.
  private func layers(of root: ModuleNode) -> [Row] {
    var rows: [Row] = []
    func add(_ node: ModuleNode) {
      let path = String(node.path.ldm.dropFirst(root.path.ldm.count).drop { $0 == "." })
      let short = path.replacing("transformer_blocks.0.", with: "")
      if node.className == "CrossAttention" {
        let widths = node.children.compactMap { $0.parameters.first }.map {
          plan.schema.parameters[$0].shape
        }
        let context = widths.count > 1 ? widths[1][1] : 0
        rows.append(
          Row(
            name: "Attention", path: short,
            detail: "\(Dimensions.unetHeads) heads, keys: "
              + (short == "attn1" ? "image" : "prompt") + ", \(context)", token: .attention))
      } else if node.children.isEmpty {
        let first = plan.schema.parameters[node.parameters.lowerBound]
        let token: Token, isGroup: Bool?
        switch first.role {
        case .conv: (token, isGroup) = (.convolution, nil)
        case .linear: (token, isGroup) = (.linear, nil)
        case .embedding: (token, isGroup) = (.embedding, nil)
        case .groupNorm: (token, isGroup) = (.normalization, true)
        case .layerNorm: (token, isGroup) = (.normalization, false)
        }
        rows.append(
          Row(
            name: node.className, path: short,
            detail: (node.detail ?? "").replacing("e-0", with: "e-"), token: token,
            isGroup: isGroup))
      } else {
        node.children.forEach(add)
      }
    }
    root.children.forEach(add)
    return rows
  }
}
