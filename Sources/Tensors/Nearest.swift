/// The candidate that is spelled most like `name`, or `nil` if none comes close.
///
/// Counts inserted, removed and replaced bytes. A few of them are allowed, in proportion to the
/// length; of equally close candidates the first is taken. The work is proportional to the length
/// of the candidates, and nothing is compared with a name longer than 256 bytes.
///
///     nearest(to: "insepct", in: ["inspect", "validate"])   // "inspect"
public func nearest(to name: String, in candidates: some Sequence<String>) -> String? {
  let wanted = Array(name.utf8)
  guard wanted.count <= 256 else { return nil }
  // Two bytes for a swap; more only in longer names.
  var limit = min(4, max(1, wanted.count / 3))
  var best: String?
  var row: [Int] = []
  for candidate in candidates {
    let bytes = candidate.utf8
    guard abs(bytes.count - wanted.count) <= limit else { continue }
    if let distance = editDistance(wanted, Array(bytes), limit: limit, row: &row) {
      best = candidate
      guard distance > 0 else { return candidate }
      limit = distance - 1
    }
  }
  return best
}

/// The number of edits between `a` and `b`, or `nil` if there are more than `limit`.
///
/// Only the diagonal band that `limit` edits can reach is computed.
private func editDistance(_ a: [UInt8], _ b: [UInt8], limit: Int, row: inout [Int]) -> Int? {
  var start = 0
  while start < min(a.count, b.count), a[start] == b[start] { start += 1 }
  let rows = a.count - start, columns = b.count - start
  let tooMany = limit + 1
  row.removeAll(keepingCapacity: true)
  for column in 0...columns { row.append(min(column, tooMany)) }
  for i in 0..<rows {
    let low = max(0, i - limit), high = min(columns, i + limit + 1)
    guard low <= high else { return nil }
    var diagonal = row[low]
    row[low] = low == 0 ? min(i + 1, tooMany) : tooMany
    var smallest = row[low]
    for j in low..<high {
      let replaced = diagonal + (a[start + i] == b[start + j] ? 0 : 1)
      // Beyond the band of the row above nothing has been computed yet.
      let above = j + 1 <= i + limit ? row[j + 1] : tooMany
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, above + 1, row[j] + 1, tooMany)
      smallest = min(smallest, row[j + 1])
    }
    guard smallest <= limit else { return nil }
  }
  return row[columns] <= limit ? row[columns] : nil
}
