package import JSON
package import StableDiffusion

/// The normalisations or convolutions of a network, one row each.
package struct LayerTable: Sendable {
  /// Which layers.
  package enum Kind: Sendable { case norms, convolutions }

  private let kind: Kind
  private let layers: [Parameter]

  /// The layers of that kind in some components, in network order.
  package init(_ kind: Kind, of schema: Schema, components: [Component]) {
    self.kind = kind
    layers = components.flatMap { component in
      schema.parameters(of: component).filter { $0.slot == .weight && kind.includes($0.role) }
    }
  }

  /// The table for a terminal.
  package func lines(width: Int, style: Style) -> [String] {
    var table: TextTable
    switch kind {
    case .norms:
      table = TextTable([
        .init("place"), .init("norm"), .init("channels", .right), .init("groups", .right),
        .init("ε", .right), .init("module", shrinks: true), .init("diffusers", shrinks: true),
      ])
    case .convolutions:
      table = TextTable([
        .init("place"), .init("kernel"), .init("stride", .right), .init("in", .right),
        .init("out", .right), .init("values", .right), .init("module", shrinks: true),
        .init("diffusers", shrinks: true),
      ])
    }
    for layer in layers { table.append(cells(of: layer)) }
    return table.lines(width: width, style: style)
  }

  private func cells(of layer: Parameter) -> [StyledText] {
    let path = layer.component.ldmPrefix + layer.module.ldm
    let names: [StyledText] = ["\(path, .name)", "\(layer.module.diffusers, .faint)"]
    switch layer.operation {
    case .conv(let kernel, let stride, _):
      return [
        "\(layer.place)", "\(kernel)×\(kernel)", "\(stride)", "\(layer.shape[1])",
        "\(layer.shape[0])", "\(Written.count(layer.elementCount))",
      ] + names
    case .groupNorm(let groups, let epsilon):
      return [
        "\(layer.place)", "GroupNorm", "\(layer.shape[0])", "\(groups)",
        "\(powerOfTen(epsilon))",
      ] + names
    case .layerNorm(let epsilon):
      return [
        "\(layer.place)", "LayerNorm", "\(layer.shape[0])", "–", "\(powerOfTen(epsilon))",
      ] + names
    case .linear, .embedding: return names
    }
  }

  /// One object for each layer.
  package var json: JSONValue {
    .array(
      layers.map { layer in
        var object: JSONObject = [
          "module": .string(layer.component.ldmPrefix + layer.module.ldm),
          "diffusers": .string(layer.component.folder + "/" + layer.module.diffusers),
          "component": .string(layer.component.rawValue),
          "place": .string("\(layer.place)"),
          "class": .string(layer.role.className),
        ]
        switch layer.operation {
        case .conv(let kernel, let stride, _):
          object["in"] = .integer(layer.shape[1])
          object["out"] = .integer(layer.shape[0])
          object["kernel"] = .integer(kernel)
          object["stride"] = .integer(stride)
        case .groupNorm(let groups, let epsilon):
          object["channels"] = .integer(layer.shape[0])
          object["groups"] = .integer(groups)
          object["epsilon"] = .double(epsilon)
        case .layerNorm(let epsilon):
          object["channels"] = .integer(layer.shape[0])
          object["epsilon"] = .double(epsilon)
        case .linear, .embedding: break
        }
        return .object(object)
      })
  }
}

extension LayerTable.Kind {
  fileprivate func includes(_ role: Role) -> Bool {
    switch self {
    case .norms: role == .groupNorm || role == .layerNorm
    case .convolutions: role == .conv
    }
  }
}
