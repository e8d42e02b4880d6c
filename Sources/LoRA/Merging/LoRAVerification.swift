public import StableDiffusion
public import Tensors

/// How strongly a LoRA was merged into a model, told from the weights before and after.
///
/// For each place the strength `t` for which `t · ΔW` comes closest to what changed, in the sense
/// of least squares.
public struct LoRAVerification: Sendable {
  /// One place, or all of them.
  public struct Estimate: Sendable {
    /// The number of tensors.
    public fileprivate(set) var tensorCount = 0
    /// The strength at which ``products`` and ``changeSquares`` were computed.
    fileprivate var unit = 1.0
    fileprivate var products = 0.0
    fileprivate var changeSquares = 0.0
    fileprivate var differenceSquares = 0.0
    /// The square of the difference that is left at the best strength.
    fileprivate var restSquares = 0.0
    /// The square of what rounding to the result's type may do to every value.
    fileprivate var roundingSquares = 0.0

    /// The strength that was used; `nil` where the LoRA changes nothing.
    public var strength: Double? {
      changeSquares > 0 ? products / changeSquares * unit : nil
    }

    /// How much of the difference is not the LoRA's: 0 for none, 1 for all of it.
    public var residual: Double {
      differenceSquares > 0 ? (restSquares / differenceSquares).squareRoot() : 0
    }

    /// Whether the result is what the expected strength gives: nothing is left but a share
    /// `tolerance` of the LoRA's change and what rounding does.
    public func isAsExpected(tolerance: Double) -> Bool {
      let mismatch = max(0, changeSquares - 2 * products + differenceSquares).squareRoot()
      let computing = 1e-5 * changeSquares.squareRoot()
      return mismatch
        <= tolerance * changeSquares.squareRoot() + roundingSquares.squareRoot() + computing
    }

    fileprivate mutating func finish(unit: Double) {
      self.unit = unit
      let explained = changeSquares > 0 ? products * products / changeSquares : 0
      restSquares = max(0, differenceSquares - explained)
    }

    fileprivate mutating func add(_ other: Estimate) {
      tensorCount += other.tensorCount
      products += other.products
      changeSquares += other.changeSquares
      differenceSquares += other.differenceSquares
      restSquares += other.restSquares
      roundingSquares += other.roundingSquares
    }

    fileprivate mutating func add(
      _ base: [Float], _ merged: [Float], _ result: [Float], type: DType
    ) {
      for index in base.indices {
        let change = Double(merged[index]) - Double(base[index])
        let difference = Double(result[index]) - Double(base[index])
        let half = Double(type.step(at: result[index])) / 2
        products += change * difference
        changeSquares += change * change
        differenceSquares += difference * difference
        roundingSquares += half * half
      }
    }
  }

  /// The places that the LoRA changes, in network order.
  public let places: [(place: Place, estimate: Estimate)]
  /// All of them together.
  public let whole: Estimate
  /// Tensors that differ although the LoRA does not change them, in the order of the model.
  public let otherDifferences: [TensorName]
  /// Tensors of the model that the result does not have in the same shape.
  public let missing: [TensorName]

  /// Compares `base` and `result`.
  ///
  /// - Parameters:
  ///   - base: the model before.
  ///   - lora: the LoRA.
  ///   - expected: the strength that is expected, in which case tensors that it leaves alone are
  ///     expected not to change.
  ///   - result: the model after; names and types may be others.
  ///   - axis: the direction of DoRA magnitudes whose shape fits both.
  ///   - width: the number of threads.
  /// - Throws: what reading throws, and the problems of merging `lora` into `base`.
  public init(
    base: any TensorSource, lora: LoRAFile, expected: LoRAStrength = LoRAStrength(),
    result: any TensorSource, axis: Magnitude.Axis? = nil, width: Int
  ) throws(Fault) {
    var request = LoRAMergeRequest([LoRAUse(lora, expected)])
    request.magnitudeAxis = axis
    request.allowsUnmatched = true
    for component in Component.allCases { request.types[component] = .f32 }
    let plan = try LoRAMergePlan(base, request, width: width)
    if let problem = plan.problems.first { throw problem }
    let merged = LoRAMergedSource(plan)
    let identity = ModelIdentity(result.tensors)
    let found = Results(repeating: Estimate(), count: base.tensors.count)
    let differs = Results(repeating: false, count: base.tensors.count)
    var pairs: [(base: Int, result: Int, place: Place)] = []
    var missing: [TensorName] = []
    for (index, use) in plan.identity.uses.enumerated() {
      guard case .parameter(let position) = use else { continue }
      let parameter = plan.identity.schema.parameters[position]
      guard let other = Self.tensor(parameter, position, plan.identity, identity),
        result.tensors[other].elementCount == base.tensors[index].elementCount
      else {
        missing.append(base.tensors[index].name)
        continue
      }
      pairs.append((index, other, parameter.place))
    }
    let members = pairs
    try forEachIndex(below: members.count, width: width) { (position) throws(Fault) in
      let (index, other, _) = members[position]
      let isChanged = plan.changes[index] != nil
      var estimate = Estimate()
      estimate.tensorCount = 1
      let count = base.tensors[index].elementCount
      for first in stride(from: 0, to: count, by: 1 << 16) {
        let range = first..<min(count, first + 1 << 16)
        let before = try base.singles(of: index, range)
        let after = try result.singles(of: other, range)
        if isChanged {
          estimate.add(
            before, try merged.singles(of: index, range), after,
            type: result.tensors[other].dtype)
        } else if before != after {
          differs[index] = true
          break
        }
      }
      if isChanged { found[index] = estimate }
    }
    var byPlace: [Place: Estimate] = [:]
    let estimates = found.values
    for (index, _, place) in pairs where plan.changes[index] != nil {
      byPlace[place, default: Estimate()].add(estimates[index])
    }
    var whole = Estimate()
    for place in byPlace.keys {
      let strengths = lora.modules.filter { $0.target.place == place }.map { expected($0.target) }
      let mean = strengths.reduce(0, +) / Double(max(1, strengths.count))
      byPlace[place]?.finish(unit: mean == 0 ? 1 : mean)
    }
    places = byPlace.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    // Each place at its own strength: one for all would leave the others' changes over.
    for (_, estimate) in places { whole.add(estimate) }
    self.whole = whole
    otherDifferences = differs.values.enumerated().filter(\.element)
      .map { base.tensors[$0.offset].name }
    self.missing = missing
  }

  /// The tensor of the result that is the same parameter.
  private static func tensor(
    _ parameter: Parameter, _ position: Int, _ base: ModelIdentity, _ result: ModelIdentity
  ) -> Int? {
    guard result.kind == .stableDiffusion1,
      base.schema.parameters.count == result.schema.parameters.count
    else { return nil }
    return result.tensor(of: position)
  }
}

extension DType {
  /// The distance from `value` to the next larger magnitude of this type.
  fileprivate func step(at value: Float) -> Float {
    let single = max(abs(value), .leastNormalMagnitude).ulp
    switch self {
    case .f16: return max(single * 0x1p13, 0x1p-24)
    case .bf16: return single * 0x1p16
    default: return bitCount < 16 ? single * 0x1p21 : single
    }
  }
}
