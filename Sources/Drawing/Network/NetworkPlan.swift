package import StableDiffusion

/// A module as a picture of the network shows it: one coloured field.
package struct PlannedModule: Hashable, Sendable {
  /// A short name for the field: `Res`, `Attn`, `Conv`.
  package let label: String
  /// The colour of its kind.
  package let token: Token
  /// The module of the declaration.
  package let node: ModuleNode
  /// The number of GroupNorms in it.
  package let groupNormCount: Int
  /// The number of LayerNorms in it.
  package let layerNormCount: Int
}

/// What stands in one box of a picture of the network.
package struct Stage: Hashable, Sendable {
  /// Its name: a place (`IN04`) in the U-Net, else the name of the module (`down.1`).
  package let name: String
  /// Where merge recipes find it.
  package let place: Place
  /// Its modules, in the order of computation.
  package let modules: [PlannedModule]
  /// The shape of what comes out: `[channels, height, width]` or `[tokens, width]`.
  package let shape: [Int]

  /// The positions in the schema of its parameters.
  package var parameters: [Range<Int>] { modules.map(\.node.parameters) }
  /// The number of values in it.
  package var elementCount: Int { modules.reduce(0) { $0 &+ $1.node.elementCount } }
}

/// The network as stages, with the shapes at a resolution; all of it read off the declaration.
package struct NetworkPlan: Sendable {
  /// The network.
  package let schema: Schema
  /// The size of the picture.
  package let resolution: Resolution
  /// Embeddings, layers, last normalisation.
  package let textEncoder: [Stage]
  /// The time embedding.
  package let time: Stage?
  /// `IN00` to `IN11`.
  package let input: [Stage]
  /// `M00`.
  package let middle: Stage?
  /// `OUT00` to `OUT11`.
  package let output: [Stage]
  /// The last normalisation and convolution of the U-Net.
  package let last: Stage?
  /// From images to the moments of latents.
  package let encoder: [Stage]
  /// From latents to images.
  package let decoder: [Stage]

  /// The plan of a network at a resolution.
  package init(_ schema: Schema, at resolution: Resolution) {
    self.schema = schema
    self.resolution = resolution
    var text: [Stage] = [], unet: [Place: Stage] = [:], encoder: [Stage] = [], decoder: [Stage] = []
    for root in schema.tree {
      var walk = Walk(schema: schema, resolution: resolution)
      switch root.component {
      case .textEncoder:
        text = Self.flattened(root, into: ["CLIPTextEmbeddings", "CLIPEncoderLayer", "LayerNorm"])
          .map { walk.stage([$0], named: Self.shortName(of: $0)) }
      case .unet:
        walk.shrink(by: 8)
        let modules = Self.flattened(root, into: Set(PlannedModule.kinds.keys))
        for place in Place.allCases where place != .clip && place != .vae {
          let own = modules.filter { schema.parameters[$0.parameters.lowerBound].place == place }
          if !own.isEmpty { unet[place] = walk.stage(own, named: "\(place)") }
        }
      case .vae:
        for part in root.children {
          switch part.className {
          case "Encoder": encoder += Self.stages(of: part, &walk)
          case "Decoder": decoder += Self.stages(of: part, &walk)
          default:
            let isFirst = decoder.isEmpty && encoder.last?.name != "quant_conv"
            let stage = walk.stage([part], named: Self.shortName(of: part))
            if isFirst { encoder.append(stage) } else { decoder.append(stage) }
          }
        }
      }
    }
    textEncoder = text
    self.encoder = encoder
    self.decoder = decoder
    time = unet[.time]
    input = (0..<12).compactMap { Place.input($0).flatMap { unet[$0] } }
    middle = unet[.m00]
    output = (0..<12).compactMap { Place.output($0).flatMap { unet[$0] } }
    last = unet[.out]
  }

  /// The stages of a component.
  package func stages(of component: Component) -> [Stage] {
    switch component {
    case .textEncoder: textEncoder
    case .unet:
      [time].compactMap { $0 } + input + [middle].compactMap { $0 } + output
        + [last].compactMap { $0 }
    case .vae: encoder + decoder
    }
  }

  /// The stages of half a VAE: each block, and the single layers before and after the blocks.
  private static func stages(of part: ModuleNode, _ walk: inout Walk) -> [Stage] {
    var stages: [Stage] = [], singles: [ModuleNode] = []
    func flush() -> [ModuleNode] {
      defer { singles = [] }
      return singles
    }
    for child in part.children {
      guard !child.children.isEmpty else {
        singles.append(child)
        continue
      }
      let before = flush()
      if let last = before.last { stages.append(walk.stage(before, named: shortName(of: last))) }
      stages.append(walk.stage([child], named: shortName(of: child)))
    }
    let rest = flush()
    if let last = rest.last { stages.append(walk.stage(rest, named: shortName(of: last))) }
    return stages
  }

  /// The modules below `node` whose class is one of `classes`, not looking into them.
  fileprivate static func flattened(
    _ node: ModuleNode, into classes: Set<String>
  ) -> [ModuleNode] {
    classes.contains(node.className) || node.children.isEmpty
      ? [node] : node.children.flatMap { flattened($0, into: classes) }
  }

  /// The end of a module's original name: `down.1`, `layers.3`, `mid`.
  private static func shortName(of node: ModuleNode) -> String {
    let parts = node.path.ldm.split(separator: ".")
    guard let last = parts.last else { return node.className }
    return Int(last) == nil ? String(last) : parts.suffix(2).joined(separator: ".")
  }
}

/// Follows the shape of the data through the modules.
private struct Walk {
  let schema: Schema
  var height: Int
  var width: Int
  var channels = 0

  init(schema: Schema, resolution: Resolution) {
    self.schema = schema
    height = resolution.height
    width = resolution.width
  }

  mutating func shrink(by factor: Int) {
    height /= factor
    width /= factor
  }

  /// The stage that the modules make, after which the walk goes on.
  mutating func stage(_ nodes: [ModuleNode], named name: String) -> Stage {
    let modules = nodes.flatMap {
      NetworkPlan.flattened($0, into: Set(PlannedModule.kinds.keys))
    }
    for node in modules {
      for position in node.parameters where schema.parameters[position].slot == .weight {
        let parameter = schema.parameters[position]
        guard case .conv(_, let stride, _) = parameter.operation else { continue }
        channels = parameter.shape[0]
        shrink(by: stride)
      }
      if node.className == "Upsample" {
        height *= 2
        width *= 2
      }
    }
    let first = nodes.first.map { schema.parameters[$0.parameters.lowerBound] }
    let place = first?.place ?? .out
    let dimensions = schema.dimensions
    let shape =
      switch place {
      case .clip: [dimensions[.positions], dimensions[.text]]
      case .time: [dimensions[.unetTime]]
      default: [channels, height, width]
      }
    return Stage(
      name: name, place: place, modules: modules.map { PlannedModule($0, schema: schema) },
      shape: shape)
  }
}

extension PlannedModule {
  /// What the classes of modules are called and coloured; those not listed are looked into.
  fileprivate static let kinds: [String: (label: String, token: Token)] = [
    "Conv2d": ("Conv", .convolution), "ResNetBlock": ("Res", .residual),
    "SpatialTransformer": ("Attn", .attention), "AttnBlock": ("Attn", .attention),
    "CLIPAttention": ("Attn", .attention), "CLIPMLP": ("MLP", .linear),
    "Downsample": ("Down", .resampling), "Upsample": ("Up", .resampling),
    "Linear": ("Linear", .linear), "Embedding": ("Table", .embedding),
    "GroupNorm": ("Norm", .normalization), "LayerNorm": ("Norm", .normalization),
  ]

  fileprivate init(_ node: ModuleNode, schema: Schema) {
    let kind = Self.kinds[node.className] ?? (node.className, .linear)
    var label = kind.label
    if node.className == "Embedding" {
      label = node.path.ldm.hasSuffix("token_embedding") ? "Tokens" : "Positions"
    }
    var groups = 0, layers = 0
    for position in node.parameters where schema.parameters[position].slot == .weight {
      switch schema.parameters[position].role {
      case .groupNorm: groups += 1
      case .layerNorm: layers += 1
      case .conv, .linear, .embedding: break
      }
    }
    self.label = label
    token = kind.token
    self.node = node
    groupNormCount = groups
    layerNormCount = layers
  }
}
