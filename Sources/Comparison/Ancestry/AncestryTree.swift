/// A tree that joins each model to a near one, as short as possible.
///
/// A minimum spanning tree, of Prim's kind, grown from the model that lies nearest to all others
/// and is itself no merge that is known. Merges hang from their nearer parent.
struct AncestryTree {
  /// From this distance on, models do not count as related: it is that of vectors with little in
  /// common, where two trainings of one model are at 0.5 at most.
  static let unrelated = 0.9

  /// The models, each after the one it hangs from, children in order of distance.
  let branches: [Ancestry.Branch]

  init(_ distances: SampledDistances, blends: [Ancestry.Blend], records: [Ancestry.Record]) {
    let count = distances.count
    // A merge with known parents is no one's root while others are left.
    let parents = Self.knownParents(distances, blends: blends, records: records)
    let isMerge = parents.map { $0 != nil }
    func length(_ a: Int, _ b: Int) -> Double { distances.distance(a, b) ?? .infinity }
    let sums = (0..<count).map { model in
      (0..<count).reduce(0.0) { $0 + min(length(model, $1), 10) }
    }
    var parent = [Int?](repeating: nil, count: count)
    var nearest = [Double](repeating: .infinity, count: count)
    var isIn = [Bool](repeating: false, count: count)
    for _ in 0..<count {
      let rest = (0..<count).filter { !isIn[$0] }
      // The next is what is nearest to the tree; where nothing is, a new root.
      let next =
        rest.filter { nearest[$0].isFinite && !isMerge[$0] }
        .min { (nearest[$0], $0) < (nearest[$1], $1) }
        ?? rest.filter { !isMerge[$0] }.min { (sums[$0], $0) < (sums[$1], $1) }
        ?? rest.min { (sums[$0], $0) < (sums[$1], $1) }
      guard let next else { break }
      isIn[next] = true
      if isMerge[next] { parent[next] = parents[next] }
      for other in 0..<count where !isIn[other] && !isMerge[next] {
        let distance = length(next, other)
        if distance < min(nearest[other], Self.unrelated) {
          nearest[other] = distance
          parent[other] = next
        }
      }
    }
    for model in 0..<count where isMerge[model] { parent[model] = parents[model] }
    branches = Self.inOrder(parent, length)
  }

  /// For each model its parent, where one is known: the nearer one of a recorded or evident merge.
  ///
  /// No chain of them returns to its beginning.
  private static func knownParents(
    _ distances: SampledDistances, blends: [Ancestry.Blend], records: [Ancestry.Record]
  ) -> [Int?] {
    var parents = [Int?](repeating: nil, count: distances.count)
    func set(_ model: Int, _ parent: Int) {
      guard parents[model] == nil else { return }
      var ancestor: Int? = parent
      while let next = ancestor, next != model { ancestor = parents[next] }
      if ancestor == nil { parents[model] = parent }
    }
    for record in records {
      let nearest = record.parents.min { a, b in
        (distances.distance(a, record.model) ?? .infinity, a)
          < (distances.distance(b, record.model) ?? .infinity, b)
      }
      if let nearest { set(record.model, nearest) }
    }
    for blend in blends { set(blend.model, blend.first) }
    return parents
  }

  /// The models from the root down, without recursion.
  private static func inOrder(
    _ parent: [Int?], _ length: (Int, Int) -> Double
  ) -> [Ancestry.Branch] {
    var children: [Int: [Int]] = [:]
    for (model, parent) in parent.enumerated() {
      if let parent { children[parent, default: []].append(model) }
    }
    var branches: [Ancestry.Branch] = []
    var pending = parent.indices.filter { parent[$0] == nil }.reversed().map {
      (model: $0, depth: 0)
    }
    while let (model, depth) = pending.popLast() {
      let distance = parent[model].map { length($0, model) }
      branches.append(
        Ancestry.Branch(
          model: model, parent: parent[model],
          distance: distance.flatMap { $0.isFinite ? $0 : nil }, depth: depth))
      let below = (children[model] ?? []).sorted {
        (length(model, $0), $0) < (length(model, $1), $1)
      }
      pending += below.reversed().map { ($0, depth + 1) }
    }
    return branches
  }
}
