import Inspection
public import Tensors

extension MergeExplanation {
  /// A tensor that no formula was tried on.
  public struct Skipped: Hashable, Sendable {
    /// Why that is so.
    public enum Reason: String, CaseIterable, Sendable {
      /// One of the models holds NaN or infinities.
      case nonFinite = "nan-or-infinite"
      /// The result lacks what the inputs have.
      case missing = "missing-in-result"
      /// The result has it in another shape.
      case misshapen
      /// An input lacks it, has it in another shape, or it holds no numbers to weigh; and the result
      /// is not that of A.
      case incomparable
      /// As above, but the result is that of A.
      case kept = "kept-from-a"

      /// Whether the result is not what a merge of the inputs gives.
      public var isUnexplained: Bool { self != .kept }

      /// What is said of `count` tensors.
      func words(_ count: Int) -> String {
        let tensors = Written.count(count, "tensor")
        switch self {
        case .nonFinite: return "\(tensors) with NaN or infinities"
        case .missing: return "\(tensors) missing in RESULT"
        case .misshapen: return "\(tensors) of another shape"
        case .incomparable: return "\(tensors) that cannot be compared"
        case .kept: return "\(tensors) kept from A"
        }
      }
    }

    /// Its name in a single-file checkpoint.
    public let name: TensorName
    /// Why no formula was tried.
    public let reason: Reason
  }

  /// How many tensors are left out for each reason for which the result is not explained.
  public var unexplained: [(reason: Skipped.Reason, count: Int)] {
    Skipped.Reason.allCases.compactMap { reason in
      let count = skipped.count { $0.reason == reason }
      return reason.isUnexplained && count > 0 ? (reason, count) : nil
    }
  }
}

extension MergeExplanation.Skipped.Reason {
  /// Why a tensor cannot be fitted; `nil` if it is of no concern to a merge.
  init?(
    _ pass: PairPass, _ correspondence: Correspondence, _ finding: PairPass.Finding,
    _ formula: MergeExplanation.Formula
  ) {
    let last = pass.models.count - 1
    // With two models in a formula the third has no say.
    let own = Array(0..<min(formula == .weightedSum ? 2 : 3, last)) + [last]
    let inputs = own.dropLast()
    func pair(_ a: Int, _ b: Int) -> PairFinding? {
      pass.pairs.firstIndex { $0.a == a && $0.b == b }.flatMap { finding.pairs[$0] }
    }
    guard correspondence.tensors[last] != nil else {
      let isPart = inputs.allSatisfy { correspondence.tensors[$0] != nil }
      guard isPart, correspondence.parameter != nil else { return nil }
      self = .missing
      return
    }
    if let kept = pair(0, last) {
      let measures = kept.measures
      let rounding = WeightFit(
        xx: 0, xy: 0, yy: measures.squaresOfDifference, squaredSpacings: finding.squaredSpacings,
        count: measures.finiteCount)
      let isRounded =
        measures.valueCount > 0 && measures.finiteCount == measures.valueCount
        && FitQuality(ratio: rounding.roundingRatio(at: 0)) != .poor
      if kept.isIdentical || isRounded {
        // Also with NaN: a merge keeps what it cannot weigh.
        self = pair(0, 1) == nil || measures.nonFiniteCount == 0 ? .kept : .nonFinite
        return
      }
    }
    let isSpoiled = own.contains { b in
      own.contains { a in (pair(a, b)?.measures.nonFiniteCount ?? 0) > 0 }
    }
    if isSpoiled {
      self = .nonFinite
    } else if correspondence.tensors[0] != nil, pair(0, last) == nil {
      self = .misshapen
    } else if correspondence.parameter == nil,
      inputs.allSatisfy({ correspondence.tensors[$0] == nil })
    {
      // Beside the network, and only in the result.
      return nil
    } else {
      self = .incomparable
    }
  }
}
