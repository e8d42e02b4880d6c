/// A module of the network with what it contains, under its classic name.
///
///     for node in Schema.sd15.tree {
///       print(node.className, node.elementCount)   // CLIPTextModel 123060480, UNet …
///     }
public struct ModuleNode: Hashable, Sendable {
  /// The name of its class, for example `CrossAttnDownBlock`, `ResNetBlock` or `GroupNorm`.
  public let className: String
  /// Its path in both namings; empty for a component.
  public let path: ModulePath
  /// The component it is in.
  public let component: Component
  /// The positions in ``Schema/parameters`` of the parameters in it.
  public let parameters: Range<Int>
  /// The number of values in it.
  public let elementCount: Int
  /// What it does and with which widths, for a layer without further modules: `4 → 320, 3×3`.
  public let detail: String?
  /// The modules in it, in network order.
  public let children: [ModuleNode]
}

extension Schema {
  /// The module tree: the three components, down to single layers.
  public var tree: [ModuleNode] { nodes(parameters.indices, depth: 0) }

  /// The modules at `depth` around the parameters of `range`.
  private func nodes(_ range: Range<Int>, depth: Int) -> [ModuleNode] {
    var nodes: [ModuleNode] = []
    var start = range.lowerBound
    while start < range.upperBound {
      let first = parameters[start]
      let label = first.modules[depth]
      let end = range[start...].dropFirst().first {
        parameters[$0].modules[depth] != label || parameters[$0].component != first.component
      }
      let own = start..<(end ?? range.upperBound)
      let isLayer = first.modules.count == depth + 1
      nodes.append(
        ModuleNode(
          className: label.className, path: label.path, component: first.component, parameters: own,
          elementCount: own.reduce(0) { $0 &+ parameters[$1].elementCount },
          detail: isLayer ? first.layerDetail(hasBias: own.count == 2) : nil,
          children: isLayer ? [] : self.nodes(own, depth: depth + 1)))
      start = own.upperBound
    }
    return nodes
  }
}

extension Parameter {
  /// What the layer of this weight does: `320 → 640, 3×3, stride 2`, `32 groups, ε 1e-5`.
  fileprivate func layerDetail(hasBias: Bool) -> String {
    switch operation {
    case .conv(let kernel, let stride, _):
      "\(shape[1]) → \(shape[0]), \(kernel)×\(kernel)" + (stride == 1 ? "" : ", stride \(stride)")
    case .linear: "\(shape[1]) → \(shape[0])" + (hasBias ? "" : ", no bias")
    case .embedding: "\(shape[0]) × \(shape[1])"
    case .groupNorm(let groups, let epsilon):
      "\(shape[0]), \(groups) groups, ε \(powerOfTen(epsilon))"
    case .layerNorm(let epsilon): "\(shape[0]), ε \(powerOfTen(epsilon))"
    }
  }
}

/// `1e-5`: every ε of the network is a power of ten.
package func powerOfTen(_ epsilon: Double) -> String {
  epsilon == 1e-6 ? "1e-6" : epsilon == 1e-5 ? "1e-5" : "\(epsilon)"
}
