/// Which box of a graph stands in which column, and where in it.
struct GraphOrder {
  /// For each box its column.
  private(set) var columns: [Int]
  /// For each column its boxes, from top to bottom.
  private(set) var rows: [[Int]] = []

  /// The most columns: ways that lead round in a circle, which only a forged file has, end there.
  private static let most = 24

  /// Orders boxes.
  ///
  /// Each is behind all boxes that lead to it, and as far right as those that it leads to allow; in
  /// its column it stands where those that it leads to are, so that few ways cross.
  ///
  /// - Parameters:
  ///   - count: how many there are.
  ///   - edges: the ways between them, all of whose ends are there.
  init(count: Int, edges: [GraphPicture.Edge]) {
    columns = Array(repeating: 0, count: count)
    for _ in 0..<min(count, Self.most) {
      var isSettled = true
      for edge in edges where columns[edge.to] <= columns[edge.from] {
        columns[edge.to] = min(columns[edge.from] + 1, Self.most - 1)
        isSettled = isSettled && columns[edge.to] == Self.most - 1
      }
      if isSettled { break }
    }
    for _ in 0..<min(count, Self.most) {
      var isSettled = true
      for index in 0..<count {
        let next = edges.lazy.filter { $0.from == index }.map { [columns] in columns[$0.to] }.min()
        if let next, next - 1 > columns[index] {
          columns[index] = next - 1
          isSettled = false
        }
      }
      if isSettled { break }
    }
    rows = Array(repeating: [], count: (columns.max() ?? -1) + 1)
    for (box, column) in columns.enumerated() { rows[column].append(box) }
    var heights = Array(repeating: 0.0, count: count)
    for column in rows.indices.reversed() {
      let middle = Double(rows[column].count - 1) / 2
      let wanted = rows[column].map { box -> Double in
        let next = edges.filter { $0.from == box && columns[$0.to] > column }.map { heights[$0.to] }
        return next.isEmpty ? 0 : next.reduce(0, +) / Double(next.count)
      }
      rows[column] = zip(wanted, rows[column]).sorted { $0 < $1 }.map(\.1)
      for (row, box) in rows[column].enumerated() { heights[box] = Double(row) - middle }
    }
  }
}
