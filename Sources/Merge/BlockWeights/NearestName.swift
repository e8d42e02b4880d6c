/// The name that `name` was most probably meant to be, or `nil` if none is near.
///
/// Near means: at most a third of the letters are inserted, left out, changed or swapped with a
/// neighbour; case does not count. Of equally near names the first one is taken.
package func nearestName(to name: String, among names: some Sequence<String>) -> String? {
  let wanted = Array(name.lowercased().utf8)
  guard !wanted.isEmpty, wanted.count <= 64 else { return nil }
  var best: (name: String, distance: Int)?
  for candidate in names {
    let letters = Array(candidate.lowercased().utf8)
    guard letters.count <= 64 else { continue }
    let distance = editDistance(wanted, letters)
    let limit = max(1, min(wanted.count, letters.count) / 3)
    guard distance <= limit, distance < best?.distance ?? .max else { continue }
    best = (candidate, distance)
  }
  return best?.name
}

/// `"did you mean 'X'?"`, or `otherwise` if no name is near.
package func suggestion(
  for name: String, among names: some Sequence<String>, otherwise: String? = nil
) -> String? {
  nearestName(to: name, among: names).map { "did you mean '\($0)'?" } ?? otherwise
}

/// The number of insertions, deletions, changes and swaps of neighbours between two texts
/// (optimal string alignment).
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var beforePrevious: [Int] = []
  var previous = Array(0...b.count)
  for (i, letter) in a.enumerated() {
    var row = [i + 1]
    for (j, other) in b.enumerated() {
      var cost = min(previous[j] + (letter == other ? 0 : 1), row[j] + 1, previous[j + 1] + 1)
      if i > 0, j > 0, letter == b[j - 1], a[i - 1] == other {
        cost = min(cost, beforePrevious[j - 1] + 1)
      }
      row.append(cost)
    }
    (beforePrevious, previous) = (previous, row)
  }
  return previous[b.count]
}
