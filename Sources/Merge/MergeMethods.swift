public import Tensors

/// All merge methods.
public enum MergeMethods {
  /// Every method, sorted by name.
  public static let all: [any MergeMethod] = [
    AddCosineA(), AddCosineB(), AddDifference(), AddPerpendicular(), Breadcrumbs(),
    BreadcrumbsTies(), CosineA(), CosineB(), DareLinear(), DareLinearL1(), DareTies(),
    DareTiesL1(), Della(), DellaLinear(), DistributionCrossover(), EuclideanAddDifference(),
    Extract(), Geometric(), GeometricReal(), ModelStock(), ModelStockRows(),
    MultiplyDifference(), NAverage(), SimilarityAddDifference(), Slerp(), SlerpNorm(),
    SmoothAdd(), SumTwice(), TensorSum(), TensorSumColumns(), TensorSumRound(), Ties(),
    TiesSum(), TopKTensorSum(), TopKTensorSumInclusive(), TrainDifference(), TripleSum(),
    WeightedSubtraction(), WeightedSum(),
  ]

  /// The method called `name`.
  ///
  /// - Throws: ``Rule/mergeMethod``, with the name that looks most like it.
  public static func named(_ name: String) throws(Fault) -> any MergeMethod {
    if let method = all.first(where: { $0.name == name }) { return method }
    let nearest = all.min { distance($0.name, name) < distance($1.name, name) }
    throw Fault(
      .mergeMethod, "there is no merge method '\(name)'",
      hint: nearest.map { "did you mean '\($0.name)'?" })
  }

  /// The number of letters to insert, remove or replace to make `b` of `a`, at most 64 of each.
  private static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.utf8.prefix(64)), Array(b.utf8.prefix(64)))
    var row = Array(0...b.count)
    for (i, letter) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, other) in b.enumerated() {
        let substitution = diagonal + (letter == other ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substitution, diagonal + 1, row[j] + 1)
      }
    }
    return row[b.count]
  }
}
