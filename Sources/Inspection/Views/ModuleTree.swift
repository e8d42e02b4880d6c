package import JSON
package import StableDiffusion

/// The module tree of a network, drawn with lines.
package struct ModuleTree: Sendable {
  private let roots: [ModuleNode]

  /// The tree of some components.
  package init(_ schema: Schema, components: [Component]) {
    roots = schema.tree.filter { components.contains($0.component) }
  }

  /// The tree for a terminal, to a depth of `depth` below the components.
  package func lines(depth: Int = .max, width: Int, style: Style) -> [String] {
    var table = TextTable([
      .init("module", shrinks: true), .init("values", .right), .init("path", shrinks: true),
      .init("diffusers", shrinks: true),
    ])
    // The network is eight levels deep, whatever the file says: this recursion follows no input.
    func add(_ node: ModuleNode, _ stem: String, _ branch: String, _ level: Int) {
      var name: StyledText = "\(stem + branch, .faint)\(node.className, .strong)"
      if let detail = node.detail { name += " \(detail, .faint)" }
      table.append([
        name, "\(Written.count(node.elementCount))", "\(node.path.ldm, .name)",
        "\(node.path.diffusers, .faint)",
      ])
      guard level < depth else { return }
      let inner = branch.isEmpty ? stem : stem + (branch == "└─ " ? "   " : "│  ")
      for (index, child) in node.children.enumerated() {
        add(child, inner, index == node.children.count - 1 ? "└─ " : "├─ ", level + 1)
      }
    }
    for root in roots { add(root, "", "", 0) }
    return table.lines(width: width, style: style)
  }

  /// The tree as nested objects.
  package var json: JSONValue {
    func object(_ node: ModuleNode) -> JSONValue {
      var object: JSONObject = [
        "class": .string(node.className), "ldm": .string(node.path.ldm),
        "diffusers": .string(node.path.diffusers), "values": .integer(node.elementCount),
      ]
      object["detail"] = node.detail.map { .string($0) }
      if !node.children.isEmpty { object["children"] = .array(node.children.map(object(_:))) }
      return .object(object)
    }
    return .array(roots.map(object))
  }
}
