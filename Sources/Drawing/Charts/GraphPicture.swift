/// Boxes and the ways between them, from left to right.
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

  private static let most = 24

  /// The column of each box: behind all boxes that lead to it, and as far right as those that it
  /// leads to allow.
  ///
  /// Ways that lead round in a circle, which only a forged file has, end at the last column.
  private var columns: [Int] {
    var columns = Array(repeating: 0, count: nodes.count)
    let valid = edges.filter {
      nodes.indices.contains($0.from) && nodes.indices.contains($0.to) && $0.from != $0.to
    }
    for _ in 0..<min(nodes.count, Self.most) {
      var isSettled = true
      for edge in valid where columns[edge.to] <= columns[edge.from] {
        columns[edge.to] = min(columns[edge.from] + 1, Self.most - 1)
        isSettled = isSettled && columns[edge.to] == Self.most - 1
      }
      if isSettled { break }
    }
    for _ in 0..<min(nodes.count, Self.most) {
      var isSettled = true
      for index in nodes.indices {
        let next = valid.lazy.filter { $0.from == index }.map { columns[$0.to] }.min()
        if let next, next - 1 > columns[index] {
          columns[index] = next - 1
          isSettled = false
        }
      }
      if isSettled { break }
    }
    return columns
  }

  /// The picture.
  public var scene: Scene {
    let columns = self.columns
    let size = Size(196, 52), across = 56.0, down = 18.0
    let count = (columns.max() ?? 0) + 1
    let rows = (0..<count).map { column in columns.count { $0 == column } }
    let most = max(1, rows.max() ?? 1)
    // Ways past other columns lead over all boxes, each on a lane of its own.
    let lanes = edges.indices.filter { index in
      let edge = edges[index]
      return columns.indices.contains(edge.from) && columns.indices.contains(edge.to)
        && columns[edge.to] - columns[edge.from] > 1
    }
    let lane = lanes.count > 12 ? 60 / Double(lanes.count) : 5
    let top = 84.0 + (lanes.isEmpty ? 0 : 8 + lane * Double(lanes.count))
    let width = max(
      400, 2 * Frame.margin + Double(count) * size.width + Double(count - 1) * across)
    let height = top + Double(most) * (size.height + down) - down + Frame.margin
    var scene = Scene(title, summary: remark, size: Size(width, height))
    scene.items = Frame.heading(title, remark, width: width)
    var used = Array(repeating: 0, count: count)
    let frames = nodes.indices.map { index -> Rect in
      let column = columns[index]
      defer { used[column] += 1 }
      // A column with fewer boxes is centred beside the longest.
      let free = Double(most - rows[column]) / 2
      return Rect(
        Frame.margin + Double(column) * (size.width + across),
        top + (free + Double(used[column])) * (size.height + down), size.width, size.height)
    }
    for (index, edge) in edges.enumerated()
    where frames.indices.contains(edge.from) && frames.indices.contains(edge.to)
      && edge.from != edge.to
    {
      let from = frames[edge.from], to = frames[edge.to]
      let middle = to.x - across / 2
      if let number = lanes.firstIndex(of: index) {
        let y = top - 8 - lane * Double(number), start = from.right + across / 4
        let end = to.x - across / 2 - across / 4
        scene.items.append(
          .line(
            Line(
              [
                Point(from.right, from.middleY), Point(start, from.middleY), Point(start, y),
                Point(end, y), Point(end, to.middleY), Point(to.x, to.middleY),
              ], hasArrow: true)))
        continue
      }
      scene.items.append(
        .line(
          Line(
            [
              Point(from.right, from.middleY), Point(middle, from.middleY),
              Point(middle, to.middleY), Point(to.x, to.middleY),
            ], hasArrow: true)))
    }
    for (node, frame) in zip(nodes, frames) {
      let room = size.width - 20
      scene.items.append(
        .group(
          Group(
            node.remark.isEmpty ? node.title : node.title + "\n" + node.remark,
            [
              .box(Box(frame, fill: .token(node.token), stroke: .token(.hairline), radius: 6)),
              .label(
                Label(
                  FontMetrics.fitted(node.title, .strong, to: room),
                  at: Point(frame.x + 10, frame.y + 22), .strong)),
              .label(
                Label(
                  FontMetrics.fitted(node.remark, .small, to: room),
                  at: Point(frame.x + 10, frame.y + 39), .small)),
            ])))
    }
    return scene
  }
}
