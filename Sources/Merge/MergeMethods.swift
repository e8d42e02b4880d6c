public import Tensors

/// All merge methods.
public enum MergeMethods {
  /// Every method, sorted by name.
  public static let all: [any MergeMethod] = [
    AddCosineA(), AddCosineB(), AddDifference(), AddPerpendicular(), Breadcrumbs(),
    BreadcrumbsTies(), Copy(), CosineA(), CosineB(), DareLinear(), DareLinearL1(), DareTies(),
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
    throw Fault(
      .mergeMethod, "there is no merge method '\(shortened(name))'",
      hint: suggestion(
        for: name, among: all.map(\.name), otherwise: "sdtool merge --list-methods lists them"))
  }
}
