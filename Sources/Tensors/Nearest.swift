/// The candidate that is spelled most like `name`, or `nil` if none comes close.
///
/// Counts inserted, removed, replaced and swapped bytes; case does not count. A few of them are allowed, in proportion to the
/// length; of equally close candidates the first is taken. The work is proportional to the length
/// of the candidates, and nothing is compared with a name longer than 256 bytes.
///
///     nearest(to: "insepct", in: ["inspect", "validate"])   // "inspect"
public func nearest(to name: String, in candidates: some Sequence<String>) -> String? {
  let wanted = name.utf8.prefix(257).map(lowercased)
  guard !wanted.isEmpty, wanted.count <= 256 else { return nil }
  // More only in longer names.
  var limit = min(4, max(1, wanted.count / 3))
  var best: String?
  var row: [Int] = []
  for candidate in candidates {
    let bytes = candidate.utf8
    guard abs(bytes.count - wanted.count) <= limit else { continue }
    if let distance = editDistance(wanted, bytes.map(lowercased), limit: limit, row: &row) {
      best = candidate
      guard distance > 0 else { return candidate }
      limit = distance - 1
    }
  }
  return best
}

/// `byte`, or the small letter if it is a capital one.
private func lowercased(_ byte: UInt8) -> UInt8 {
  (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte + 0x20 : byte
}

/// `"did you mean 'X'?"`, or `otherwise` if no candidate comes close to `name`.
package func suggestion(
  for name: String, among candidates: some Sequence<String>, otherwise: String? = nil
) -> String? {
  nearest(to: name, in: candidates).map { "did you mean '\($0)'?" } ?? otherwise
}

/// The number of edits between `a` and `b`, or `nil` if there are more than `limit`.
///
/// A swap of neighbours is one edit (optimal string alignment). Only the diagonal band that `limit`
/// edits can reach is computed.
private func editDistance(_ a: [UInt8], _ b: [UInt8], limit: Int, row: inout [Int]) -> Int? {
  var start = 0
  while start < min(a.count, b.count), a[start] == b[start] { start += 1 }
  let rows = a.count - start, columns = b.count - start
  let tooMany = limit + 1
  row.removeAll(keepingCapacity: true)
  for column in 0...columns { row.append(min(column, tooMany)) }
  // The row before the one above, for swaps.
  var older = row, saved = row
  for i in 0..<rows {
    let low = max(0, i - limit), high = min(columns, i + limit + 1)
    guard low <= high else { return nil }
    for column in max(0, low - 1)...high { saved[column] = row[column] }
    var diagonal = row[low]
    row[low] = low == 0 ? min(i + 1, tooMany) : tooMany
    var smallest = row[low]
    for j in low..<high {
      let (letter, other) = (a[start + i], b[start + j])
      var cost = diagonal + (letter == other ? 0 : 1)
      if i > 0, j > 0, letter == b[start + j - 1], a[start + i - 1] == other {
        cost = min(cost, older[j - 1] + 1)
      }
      // Beyond the band of the row above nothing has been computed yet.
      let above = j + 1 <= i + limit ? row[j + 1] : tooMany
      diagonal = row[j + 1]
      row[j + 1] = min(cost, above + 1, row[j] + 1, tooMany)
      smallest = min(smallest, row[j + 1])
    }
    // A swap may yet use the row above, so that one row beyond the limit does not decide.
    guard smallest <= limit || saved[max(0, low - 1)...high].contains(where: { $0 < limit }) else {
      return nil
    }
    swap(&older, &saved)
  }
  return row[columns] <= limit ? row[columns] : nil
}
