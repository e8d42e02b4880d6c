import Inspection
public import StableDiffusion
public import Tensors

/// With which weights a model was merged from others, place by place.
///
///     let explanation = try MergeExplanation.explain(result, from: [a, b], width: 2)
///     explanation.places[.in04]?.fit.weight   // 0.25
///     explanation.recovered?.isGlobal
///     explanation.recipe(paths: ["a.safetensors", "b.safetensors"]).yaml
public struct MergeExplanation: Sendable {
  /// What the result may be.
  public enum Formula: String, CaseIterable, Sendable {
    /// A + w(B − A).
    case weightedSum = "weighted-sum"
    /// A + w(B − C).
    case addDifference = "add-difference"

    /// The formula for people.
    public var text: String {
      switch self {
      case .weightedSum: "A + w(B − A)"
      case .addDifference: "A + w(B − C)"
      }
    }
  }

  /// What was found about several tensors.
  public struct Part: Hashable, Sendable {
    /// The best weight and what it leaves over.
    public fileprivate(set) var fit = WeightFit()
    /// The number of tensors that are in all models.
    public fileprivate(set) var tensorCount = 0
    /// How many of them have the bytes of A.
    public fileprivate(set) var equalToA = 0
    /// How many of them have the bytes of B.
    public fileprivate(set) var equalToB = 0
    /// How many have different values in the models that are weighed.
    public fileprivate(set) var informativeCount = 0

    /// How well a weight explains the result here.
    public var quality: FitQuality {
      if fit.weight == nil {
        if equalToA == tensorCount { return .undetermined }
        let quality = FitQuality(ratio: fit.roundingRatio(at: 0))
        return quality == .poor ? .poor : .undetermined
      }
      if equalToA == tensorCount { return .equalsA }
      if equalToB == tensorCount { return .equalsB }
      return FitQuality(ratio: fit.roundingRatio(at: nil))
    }

    mutating func append(_ next: Part) {
      fit.append(next.fit)
      tensorCount += next.tensorCount
      equalToA += next.equalToA
      equalToB += next.equalToB
      informativeCount += next.informativeCount
    }
  }

  /// One tensor.
  public struct Tensor: Sendable {
    /// Its name in a single-file checkpoint.
    public let name: TensorName
    /// Where it is in the network.
    public let place: Place?
    /// What was found.
    public let part: Part
  }

  /// The model that is explained.
  public let result: ComparedModel
  /// The models it is explained by: A, B, and perhaps C.
  public let inputs: [ComparedModel]
  /// The formula that leaves less over.
  public let formula: Formula
  /// Every tensor that is in all models.
  public let tensors: [Tensor]
  /// By place.
  public let places: [Place: Part]
  /// All tensors of the network.
  public let total: Part
  /// The tensors that no formula was tried on.
  public let skipped: [Skipped]
  /// The type in which the result stores most of its values.
  public let resultType: DType?
  /// The type in which A stores most of its values.
  public let inputType: DType?

  /// Explains `result`, reading all models once.
  ///
  /// - Parameters:
  ///   - result: the merged model.
  ///   - inputs: A and B, or A, B and C.
  ///   - width: the number of threads; the result is the same for every number.
  ///   - progress: called with the number of bytes read since the last call, from any thread.
  /// - Returns: the formula that leaves less over, and its weights.
  /// - Throws: ``Tensors/Rule/differentKinds``, ``Tensors/Rule/nothingInCommon``;
  ///   ``Tensors/Rule/nothingToExplain`` if the inputs do not differ; what reading throws.
  public static func explain(
    _ result: any TensorSource, from inputs: [any TensorSource], width: Int,
    progress: @Sendable (Int) -> Void = { _ in }
  ) throws(Fault) -> MergeExplanation {
    precondition((2...3).contains(inputs.count), "a formula has two or three models")
    let models = (inputs + [result]).map { NamedModel($0) }
    try checkKinds(models)
    // All that is needed of the vectors between the models follows from their distances.
    let pairs = models.indices.flatMap { a in (a + 1..<models.count).map { (a: a, b: $0) } }
    let pass = PairPass(
      models: models, correspondences: Correspondence.all(of: models), pairs: pairs,
      roundingOf: models.count - 1)
    let findings = try pass.run(width: width, progress: progress)
    let candidates = Formula.allCases.filter { inputs.count == 3 || $0 == .weightedSum }
      .map { MergeExplanation(pass, findings, formula: $0) }
      .filter { $0.total.fit.weight != nil }
    // The last of equals is the formula that uses all models.
    let best = candidates.max { a, b in a.leftover >= b.leftover && a.leftover != b.leftover }
    guard let best else {
      let spoiled = MergeExplanation(pass, findings, formula: .weightedSum).skipped.count {
        $0.reason == .nonFinite
      }
      if spoiled > 0 {
        throw Fault(
          .nothingToExplain,
          "has no tensor to tell weights by: \(Written.count(spoiled, "tensor")) of the models hold NaN or infinities, and the others do not differ",
          path: models[1].source.path, hint: "sdtool validate says which model is damaged")
      }
      throw Fault(
        .nothingToExplain, "does not differ from \(models[0].source.path)",
        path: models[1].source.path,
        hint: "name the two different models that were merged, in their order")
    }
    return best
  }

  /// What remains unexplained when every place has its best weight.
  private var leftover: Double { places.values.reduce(0) { $0 + $1.fit.residual } }

  private init(_ pass: PairPass, _ findings: [PairPass.Finding], formula: Formula) {
    let last = pass.models.count - 1
    var tensors: [Tensor] = []
    var skipped: [Skipped] = []
    var places: [Place: Part] = [:]
    var total = Part()
    for (correspondence, finding) in zip(pass.correspondences, findings)
    where !correspondence.isOptional {
      guard let part = Part(pass, correspondence, finding, formula) else {
        let reason = Skipped.Reason(pass, correspondence, finding, formula)
        if let reason { skipped.append(Skipped(name: correspondence.name, reason: reason)) }
        continue
      }
      let place = correspondence.parameter?.place
      tensors.append(Tensor(name: correspondence.name, place: place, part: part))
      total.append(part)
      if let place { places[place, default: Part()].append(part) }
    }
    result = pass.models[last].summary
    inputs = pass.models.dropLast().map(\.summary)
    self.formula = formula
    self.tensors = tensors
    self.skipped = skipped
    self.places = places
    self.total = total
    resultType = pass.models[last].mainType
    inputType = pass.models[0].mainType
  }
}

extension MergeExplanation.Part {
  /// Fits one tensor, or `nil` if it cannot be compared in all models.
  fileprivate init?(
    _ pass: PairPass, _ correspondence: Correspondence, _ finding: PairPass.Finding,
    _ formula: MergeExplanation.Formula
  ) {
    let last = pass.models.count - 1
    func pair(_ a: Int, _ b: Int) -> PairFinding? {
      pass.pairs.firstIndex { $0.a == a && $0.b == b }.flatMap { finding.pairs[$0] }
    }
    func distance(_ a: Int, _ b: Int) -> Double? {
      guard let measures = pair(a, b)?.measures, measures.squaresOfDifference.isFinite,
        measures.finiteCount == measures.valueCount
      else { return nil }
      return measures.squaresOfDifference
    }
    guard let ab = distance(0, 1), let ar = distance(0, last), let br = distance(1, last),
      let dtype = correspondence.tensors[last].map({ pass.models[last].source.tensors[$0].dtype }),
      dtype.isFloatingPoint, let measures = pair(0, last)?.measures
    else { return nil }
    var xx = ab, xy = (ab + ar - br) / 2
    if formula == .addDifference {
      guard let ac = distance(0, 2), let bc = distance(1, 2), let cr = distance(2, last) else {
        return nil
      }
      // (R − A)·(B − C), by the four sides of the quadrangle.
      (xx, xy) = (bc, (cr + ab - br - ac) / 2)
    }
    // Inputs that are stored less precisely than the result are off by their own rounding.
    let digits = pass.models.indices.compactMap { model in
      correspondence.tensors[model].map {
        pass.models[model].source.tensors[$0].dtype.significandBits
      }
    }
    let coarse = Double(1 << (dtype.significandBits - (digits.min() ?? dtype.significandBits)))
    fit = WeightFit(
      xx: xx, xy: xy, yy: ar, squaredSpacings: finding.squaredSpacings * coarse * coarse,
      count: measures.finiteCount)
    tensorCount = 1
    equalToA = pair(0, last)?.isIdentical == true ? 1 : 0
    equalToB = pair(1, last)?.isIdentical == true ? 1 : 0
    informativeCount = xx > 0 ? 1 : 0
  }
}

extension DType {
  /// The bits of a value's fraction, with the one that is not stored.
  fileprivate var significandBits: Int {
    switch self {
    case .f64: 53
    case .f32, .c64: 24
    case .f16: 11
    case .bf16: 8
    case .f8E4M3, .f8E4M3FNUZ: 4
    case .f8E5M2, .f8E5M2FNUZ: 3
    default: 24
    }
  }
}

extension NamedModel {
  /// The floating-point type of most values.
  fileprivate var mainType: DType? {
    var counts: [DType: Int] = [:]
    for tensor in source.tensors where tensor.dtype.isFloatingPoint {
      let count = counts[tensor.dtype] ?? 0
      counts[tensor.dtype] = count.addingReportingOverflow(tensor.elementCount).partialValue
    }
    return counts.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key
  }
}
