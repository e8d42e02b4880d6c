/// Where the boxes of a graph are, and which way leads where.
struct GraphPlan {
  /// For each box its frame.
  private(set) var frames: [Rect]
  /// For each way its corners, in horizontal and vertical parts.
  private(set) var ways: [[Point]] = []
  /// The room for all of them.
  private(set) var size: Size

  private static let box = Size(216, 52)
  private static let down = 18.0
  /// The lower edge of the heading, and some space.
  private static let top = 84.0

  /// Columns from left to right.
  ///
  /// Between two columns every box that is led to has a line of its own, on which all ways to it
  /// join. Ways past other columns lead over all boxes, on a line for each box that they come from.
  init(_ order: GraphOrder, _ edges: [GraphPicture.Edge]) {
    let columns = order.columns, count = order.rows.count
    func isDirect(_ edge: GraphPicture.Edge) -> Bool { columns[edge.to] == columns[edge.from] + 1 }
    let lanes = Self.distinct(edges.filter { !isDirect($0) }.map(\.from))
    let lane = min(5, 60 / Double(max(1, lanes.count)))
    let top = Self.top + (lanes.isEmpty ? 0 : 8 + lane * Double(lanes.count))
    // The lines before each column, and behind the last one: of ways that leave, then of those that
    // arrive.
    let leaving = (0...count).map { column in lanes.filter { columns[$0] + 1 == column } }
    let arriving = (0...count).map { column in
      order.rows.indices.contains(column)
        ? order.rows[column].filter { box in edges.contains { $0.to == box } } : []
    }
    var x = Frame.margin
    var frames = Array(repeating: Rect(0, 0, 0, 0), count: columns.count)
    var exits = Array(repeating: 0.0, count: columns.count)
    var entries = exits
    let most = order.rows.map(\.count).max() ?? 0
    for column in 0...count {
      let lines = leaving[column].count + arriving[column].count
      let isInside = column > 0 && column < count
      let room = max(isInside ? 56 : 0, lines > 0 ? 22 + 10 * Double(lines) : 0)
      // Evenly, with room for the arrow.
      let step = (room - 12) / Double(lines + 1)
      for (index, box) in leaving[column].enumerated() { exits[box] = x + step * Double(index + 1) }
      for (index, box) in arriving[column].enumerated() {
        entries[box] = x + step * Double(leaving[column].count + index + 1)
      }
      x += room
      guard column < count else { break }
      // A column with fewer boxes is centred beside the longest.
      let free = Double(most - order.rows[column].count) / 2
      for (row, box) in order.rows[column].enumerated() {
        frames[box] = Rect(
          x, top + (free + Double(row)) * (Self.box.height + Self.down), Self.box.width,
          Self.box.height)
      }
      x += Self.box.width
    }
    self.frames = frames
    size = Size(
      x + Frame.margin,
      top + Double(max(1, most)) * (Self.box.height + Self.down) - Self.down + Frame.margin)
    // How far to the right the line goes on which ways leave a box.
    var reaches = exits
    for edge in edges where isDirect(edge) {
      reaches[edge.from] = max(reaches[edge.from], entries[edge.to])
    }
    ways = edges.map { edge in
      let from = frames[edge.from], to = frames[edge.to], entry = entries[edge.to]
      // Ways do not arrive on the line on which those of a box at the same height go on.
      let isTaken = columns.indices.contains(where: { other in
        columns[other] + 1 == columns[edge.to] && reaches[other] > entry
          && abs(frames[other].middleY - to.middleY) < 1
      })
      let y = to.middleY - (isTaken ? 12 : 0)
      let end = [Point(entry, y), Point(to.x, y)]
      let start = Point(from.right, from.middleY)
      guard !isDirect(edge), let number = lanes.firstIndex(of: edge.from) else {
        return [start, Point(entry, from.middleY)] + end
      }
      let exit = exits[edge.from], above = top - 8 - lane * Double(number)
      return [start, Point(exit, from.middleY), Point(exit, above), Point(entry, above)] + end
    }
  }

  /// One box below the other, with the ways at their left.
  ///
  /// Every box that is led to has a line of its own, on which all ways to it join; lines that do
  /// not meet share a place.
  init(narrow order: GraphOrder, _ edges: [GraphPicture.Edge]) {
    let sequence = order.rows.joined()
    var position = Array(repeating: 0, count: order.columns.count)
    for (index, box) in sequence.enumerated() { position[box] = index }
    var ends: [Int] = []
    var lanes: [Int: Int] = [:]
    for box in sequence {
      let touched = edges.filter { $0.to == box }.map { position[$0.from] } + [position[box]]
      guard touched.count > 1, let first = touched.min(), let last = touched.max() else { continue }
      let free = ends.firstIndex { $0 < first } ?? ends.count
      if free == ends.count { ends.append(last) } else { ends[free] = last }
      lanes[box] = free
    }
    let lane = min(10, 120 / Double(max(1, ends.count)))
    let margin = 16.0, left = margin + (ends.isEmpty ? 0 : 14 + lane * Double(ends.count))
    let width = 440 - left - margin
    let frames = position.map { row in
      Rect(
        left, Self.top + Double(row) * (Self.box.height + Self.down), width, Self.box.height)
    }
    self.frames = frames
    size = Size(
      440, Self.top + Double(max(1, frames.count)) * (Self.box.height + Self.down) + margin)
    ways = edges.map { edge in
      let from = frames[edge.from], to = frames[edge.to]
      let x = left - 14 - lane * Double(lanes[edge.to] ?? 0)
      let leave = from.middleY + 10, arrive = to.middleY - 10
      return [Point(from.x, leave), Point(x, leave), Point(x, arrive), Point(to.x, arrive)]
    }
  }

  /// The numbers, each once, in the order in which they come first.
  private static func distinct(_ numbers: [Int]) -> [Int] {
    var seen = Set<Int>()
    return numbers.filter { seen.insert($0).inserted }
  }
}
