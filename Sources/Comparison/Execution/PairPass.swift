import Tensors

/// What a pass found about one tensor in two models.
struct PairFinding: Sendable {
  /// Whether all bytes are the same, and the types too.
  var isIdentical = true
  /// What comparing values found; stays empty where they cannot be looked at.
  var measures = DifferenceMeasures()

  /// Includes the values that come after these.
  mutating func append(_ next: PairFinding) {
    isIdentical = isIdentical && next.isIdentical
    measures.append(next.measures)
  }
}

/// Reads tensors of several models side by side, once, and compares pairs of them.
struct PairPass {
  let models: [NamedModel]
  let correspondences: [Correspondence]
  /// Which models are compared with which.
  let pairs: [(a: Int, b: Int)]
  /// The model whose rounding is measured.
  var roundingOf: Int?

  /// What a pass found about one tensor.
  struct Finding: Sendable {
    /// One for each pair; `nil` where a model lacks the tensor or has it in another shape.
    var pairs: [PairFinding?]
    /// The sum of the squared distances of the values to their neighbours.
    var squaredSpacings = 0.0
  }

  /// The values that are read at once of each model: of F16 as many bytes as fit a second cache
  /// twice.
  static var stepCount: Int { 1 << 17 }

  /// Some values of a tensor, which one thread compares.
  private struct Range: Sendable {
    let correspondence: Int
    let start: Int
    let count: Int
  }

  /// The bytes that will be read.
  var byteCount: Int {
    correspondences.reduce(0) { total, correspondence in
      readers(of: correspondence).reduce(total) { total, model in
        guard let index = correspondence.tensors[model] else { return total }
        return total.addingReportingOverflow(models[model].source.tensors[index].byteCount)
          .partialValue
      }
    }
  }

  private func info(_ correspondence: Correspondence, _ model: Int) -> TensorInfo? {
    correspondence.tensors[model].map { models[model].source.tensors[$0] }
  }

  private func isComparable(_ correspondence: Correspondence, _ pair: (a: Int, b: Int)) -> Bool {
    guard let a = info(correspondence, pair.a), let b = info(correspondence, pair.b) else {
      return false
    }
    return correspondence.isComparable(a, b)
  }

  /// The models whose tensor takes part in a comparison.
  private func readers(of correspondence: Correspondence) -> [Int] {
    models.indices.filter { model in
      pairs.contains { ($0.a == model || $0.b == model) && isComparable(correspondence, $0) }
    }
  }

  /// Reads and compares.
  ///
  /// - Returns: one finding for each correspondence; the same for every `width`.
  func run(
    width: Int, progress: @Sendable (Int) -> Void
  ) throws(Fault) -> [Finding] {
    let ranges = self.ranges
    let empty = Finding(pairs: Array(repeating: nil, count: pairs.count))
    let found = Results(repeating: empty, count: ranges.count)
    try forEachIndex(
      below: ranges.count, width: width,
      local: { models.map { _ in Buffer(byteCount: Self.stepCount * 8) } }
    ) { (index, buffers: inout [Buffer]) throws(Fault) in
      found[index] = try compare(ranges[index], buffers, progress)
    }
    for model in models { try model.source.checkUnchanged() }
    // Every tensor that is in both models has a finding, also one without values.
    var totals = correspondences.map { correspondence in
      Finding(
        pairs: pairs.map { pair in
          guard isComparable(correspondence, pair), let a = info(correspondence, pair.a),
            let b = info(correspondence, pair.b)
          else { return nil }
          return PairFinding(isIdentical: a.dtype == b.dtype)
        })
    }
    for (range, finding) in zip(ranges, found.values) {
      totals[range.correspondence].squaredSpacings += finding.squaredSpacings
      for (index, pair) in finding.pairs.enumerated() {
        guard let pair else { continue }
        totals[range.correspondence].pairs[index]?.append(pair)
      }
    }
    return totals
  }

  /// The work, in parts that different threads can do: steps where all tensors lie in files as they
  /// are, else whole tensors, which have to be read from front to back.
  private var ranges: [Range] {
    var ranges: [Range] = []
    for (index, correspondence) in correspondences.enumerated() {
      let readers = readers(of: correspondence)
      guard let first = readers.first, let count = info(correspondence, first)?.elementCount else {
        continue
      }
      // Below a byte only the bytes are compared, all at once.
      let canCut = readers.allSatisfy { model in
        guard let tensor = correspondence.tensors[model] else { return false }
        return models[model].source.extent(of: tensor) != nil
      }
      let step = canCut ? Self.stepCount : max(1, count)
      for start in stride(from: 0, to: count, by: step) {
        ranges.append(
          Range(correspondence: index, start: start, count: min(step, count - start)))
      }
    }
    return ranges
  }

  /// Compares the values of one range, step by step.
  private func compare(
    _ range: Range, _ buffers: [Buffer], _ progress: @Sendable (Int) -> Void
  ) throws(Fault) -> Finding {
    let correspondence = correspondences[range.correspondence]
    var finding = Finding(
      pairs: pairs.map { isComparable(correspondence, $0) ? PairFinding() : nil })
    let readers = readers(of: correspondence)
    var done = 0
    while done < range.count {
      let count = min(Self.stepCount, range.count - done)
      for model in readers {
        guard let tensor = correspondence.tensors[model] else { continue }
        let bits = models[model].source.tensors[tensor].dtype.bitCount
        let offset = (range.start + done) * bits / 8
        let buffer = buffers[model]
        var bytes = buffer.bytes(count * bits / 8)
        try models[model].source.read(tensor, at: offset, into: &bytes)
        progress(bytes.byteCount)
      }
      for (index, pair) in pairs.enumerated() {
        guard finding.pairs[index] != nil, let a = info(correspondence, pair.a),
          let b = info(correspondence, pair.b)
        else { continue }
        let (bufferA, bufferB) = (buffers[pair.a], buffers[pair.b])
        let bytesA = bufferA.bytes(count * a.dtype.bitCount / 8)
        let bytesB = bufferB.bytes(count * b.dtype.bitCount / 8)
        finding.pairs[index]?.append(compare(bytesA.bytes, a.dtype, bytesB.bytes, b.dtype))
      }
      if let roundingOf, let info = info(correspondence, roundingOf), readers.contains(roundingOf) {
        let buffer = buffers[roundingOf]
        let bytes = buffer.bytes(count * info.dtype.bitCount / 8)
        finding.squaredSpacings += info.dtype.sumOfSquaredSpacings(bytes.bytes)
      }
      done += count
    }
    return finding
  }

  /// Compares some values: by bytes first, and as numbers where those differ.
  private func compare(_ a: RawSpan, _ typeA: DType, _ b: RawSpan, _ typeB: DType) -> PairFinding {
    let isIdentical = typeA == typeB && haveSameBytes(a, b)
    guard typeA.isComparable(with: typeB) else { return PairFinding(isIdentical: isIdentical) }
    if isIdentical, let squares = typeA.sumOfSquares(a) {
      return PairFinding(
        isIdentical: true,
        measures: DifferenceMeasures(
          identicalCount: typeA.partCount(of: a.byteCount), squares: squares,
          hasULP: typeA.hasULP))
    }
    guard let comparison = ValueComparison(a, typeA, b, typeB) else {
      return PairFinding(isIdentical: isIdentical)
    }
    return PairFinding(isIdentical: isIdentical, measures: DifferenceMeasures(comparison))
  }
}

extension DType {
  /// Whether distances in units in the last place are counted in this type.
  fileprivate var hasULP: Bool {
    switch self {
    case .f16, .bf16, .f32, .f64, .c64: true
    default: false
    }
  }
}

extension DifferenceMeasures {
  /// What the loops found.
  init(_ found: ValueComparison) {
    valueCount = found.count
    changedCount = found.changedCount
    signFlipCount = found.signFlipCount
    finiteCount = found.finiteCount
    (nanCountA, nanCountB) = found.nanCounts
    (infinityCountA, infinityCountB) = found.infinityCounts
    maximumDifference = found.maximumDifference
    (squaresA, squaresB, squaresOfDifference) = found.squares
    (ulpCount, ulpSum, greatestULP) = found.ulps
  }

  /// Finite values with themselves.
  init(identicalCount count: Int, squares: Double, hasULP: Bool) {
    valueCount = count
    finiteCount = count
    squaresA = squares
    squaresB = squares
    ulpCount = hasULP ? count : 0
  }
}
