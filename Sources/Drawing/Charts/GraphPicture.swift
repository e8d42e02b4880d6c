/// Boxes and the ways between them: from left to right, or from top to bottom on narrow screens.
///
///     var graph = GraphPicture("recipe")
///     graph.nodes = [.init("a"), .init("b"), .init("merged")]
///     graph.edges = [.init(from: 0, to: 2), .init(from: 1, to: 2)]
///     graph.scene().svg(theme: .light)
///
/// Ways lead around boxes, and two that have neither end in common never run along the same line.
public struct GraphPicture: Hashable, Sendable {
  /// A box.
  public struct Node: Hashable, Sendable {
    /// Its name.
    public var title: String
    /// What stands below the name.
    public var remark: String
    /// Its colour.
    public var token: Token

    /// A box.
    public init(_ title: String, remark: String = "", token: Token = .card) {
      self.title = title
      self.remark = remark
      self.token = token
    }
  }

  /// A way from one box to another.
  public struct Edge: Hashable, Sendable {
    /// The position of the box that it comes from.
    public var from: Int
    /// The position of the box that it goes to.
    public var to: Int

    /// A way.
    public init(from: Int, to: Int) {
      self.from = from
      self.to = to
    }
  }

  /// What the picture shows.
  public var title: String
  /// What stands below the title.
  public var remark: String
  /// The boxes.
  public var nodes: [Node] = []
  /// The ways between them; those whose ends are not there are not drawn.
  public var edges: [Edge] = []

  /// A picture without boxes.
  public init(_ title: String, remark: String = "") {
    self.title = title
    self.remark = remark
  }

  /// The picture.
  public func scene(_ arrangement: Scene.Arrangement = .wide) -> Scene {
    let valid = edges.filter {
      nodes.indices.contains($0.from) && nodes.indices.contains($0.to) && $0.from != $0.to
    }
    let order = GraphOrder(count: nodes.count, edges: valid)
    let plan =
      switch arrangement {
      case .wide: GraphPlan(order, valid)
      case .narrow: GraphPlan(narrow: order, valid)
      }
    let width = max(arrangement == .wide ? 400 : 0, plan.size.width)
    var scene = Scene(title, summary: remark, size: Size(width, plan.size.height))
    scene.items = Frame.heading(title, remark, width: width)
    scene.items += plan.ways.map { .line(Line($0, hasArrow: true)) }
    scene.items += zip(nodes, plan.frames).map { Self.box($0, $1) }
    return scene
  }

  private static func box(_ node: Node, _ frame: Rect) -> Item {
    let room = frame.width - 20
    return .group(
      Group(
        node.remark.isEmpty ? node.title : node.title + "\n" + node.remark,
        [
          .box(Box(frame, fill: .token(node.token), stroke: .token(.hairline), radius: 6)),
          .label(
            Label(
              FontMetrics.fitted(node.title, .strong, to: room),
              at: Point(frame.x + 10, frame.y + (node.remark.isEmpty ? 30 : 22)), .strong)),
          .label(
            Label(
              FontMetrics.fitted(node.remark, .small, to: room),
              at: Point(frame.x + 10, frame.y + 39), .small)),
        ]))
  }
}
