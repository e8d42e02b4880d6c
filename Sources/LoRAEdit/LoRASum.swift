import LinearAlgebra
public import LoRA
import SafeTensors
import StableDiffusion
public import Tensors

/// A weighted sum of LoRAs as one LoRA: of any ranks, spellings and kinds that have a low-rank form.
///
///     let sum = try LoRASum([(first, 0.7), (second, -0.4)])
///     let result = try sum.made(.error(0.05), dtype: .f16, width: 2)
///     try result.output.write(to: "sum.safetensors")
public struct LoRASum: Sendable {
  /// A LoRA and how strongly it counts.
  public struct Term: Sendable {
    /// The LoRA.
    public let file: LoRAFile
    /// How strongly it counts, and where; 0 is as if it were not there.
    public let strength: LoRAStrength

    /// Its strength in the U-Net.
    public var unet: Double { strength.unet }
    /// Its strength in the text encoder.
    public var textEncoder: Double { strength.textEncoder }

    /// A LoRA with strengths and weights of blocks.
    public init(_ file: LoRAFile, _ strength: LoRAStrength) {
      self.file = file
      self.strength = strength
    }

    /// A LoRA with one strength for both parts, or two.
    public init(_ file: LoRAFile, _ unet: Double, textEncoder: Double? = nil) {
      var strength = LoRAStrength(unet)
      if let textEncoder { strength.textEncoder = textEncoder }
      self.init(file, strength)
    }

    /// Whether it is taken as it is.
    var isPlain: Bool { strength == LoRAStrength(1) }
  }

  /// What is summed.
  public let terms: [Term]

  /// For each target the modules that change it, in the order of the network.
  private let members: [(target: LoRATarget, parts: [Part])]

  private struct Part: Sendable {
    let term: Int
    let module: LoRAModule
  }

  /// Collects what changes which module.
  ///
  /// - Parameters:
  ///   - terms: at least one.
  ///   - allowingUnmatched: whether tensors that fit nothing are left out.
  /// - Throws: the first error among the findings of a file, ``Rule/loraShapesDiffer``,
  ///   ``Rule/loraNotLowRank`` for an adapter that depends on the weight, ``Rule/loraWeights`` for a
  ///   strength beyond single precision.
  public init(_ terms: [Term], allowingUnmatched: Bool = false) throws(Fault) {
    self.terms = terms
    var parts: [LoRATarget: [Part]] = [:]
    for (index, term) in terms.enumerated() {
      for strength in [term.unet, term.textEncoder] where !Float(strength).isFinite {
        throw Fault(
          .loraWeights, "has a strength that is too large", path: term.file.path,
          expected: "a number that single precision holds", found: "\(strength)",
          hint: "usual strengths are from -2 to 2")
      }
      try term.file.requireUsable(allowingUnmatched: allowingUnmatched)
      for module in term.file.modules where term.strength(module.target) != 0 {
        guard module.magnitude == nil else {
          throw Fault(
            .loraNotLowRank, "has no low-rank form", path: term.file.path,
            tensor: TensorName(module.name), expected: "a change that is the same for every model",
            found: "DoRA, whose magnitudes depend on the weight",
            hint: "merge it with sdtool lora-merge, then use sdtool lora-extract")
        }
        try term.file.checkSize(of: module)
        parts[module.target, default: []].append(Part(term: index, module: module))
      }
    }
    for parts in parts.values {
      let shaped = parts.filter { $0.module.weightShape != nil }
      guard let first = shaped.first else { continue }
      for other in shaped where other.module.weightShape != first.module.weightShape {
        throw Fault(
          .loraShapesDiffer, "is for a weight of another shape",
          path: terms[other.term].file.path, tensor: TensorName(other.module.name),
          expected: "\(first.module.weightShape ?? []) as in \(terms[first.term].file.path)",
          found: "\(other.module.weightShape ?? [])",
          hint: "one of the two was made for another model")
      }
    }
    members = LoRATarget.all.compactMap { target in parts[target].map { (target, $0) } }
  }

  /// The most frequent type among all tensors by bytes, of those a LoRA is written in.
  public var usualType: DType {
    var bytes: [DType: Int] = [:]
    for term in terms {
      for tensor in term.file.source.tensors {
        bytes[tensor.dtype, default: 0] =
          bytes[tensor.dtype, default: 0].addingReportingOverflow(tensor.byteCount).partialValue
      }
    }
    let candidates: [DType] = [.f16, .bf16, .f32]
    return candidates.max { bytes[$0, default: 0] < bytes[$1, default: 0] }
      .flatMap { bytes[$0, default: 0] > 0 ? $0 : nil } ?? .f32
  }

  /// Computes the sum.
  ///
  /// - Parameters:
  ///   - target: how much of it is kept.
  ///   - dtype: the type of the factors.
  ///   - dialect: how it is spelled.
  ///   - width: the number of threads; the result is the same for every number.
  /// - Returns: the sum as a file, and what became of each module.
  /// - Throws: what reading, factoring and rounding throw; ``Rule/loraNoDifference`` if nothing is
  ///   left.
  public func made(
    _ target: RankTarget, dtype: DType, dialect: LoRADialect = .kohya, width: Int
  ) throws(Fault) -> EditedLoRA {
    try target.check()
    let algebra = try LinearAlgebra.load()
    var ranks: [Int]?
    if case .size(let budget) = target {
      ranks = try self.ranks(within: budget, dtype, dialect, algebra, width)
    }
    let chosen = ranks
    let results = Results(repeating: ModuleEdit?.none, count: members.count)
    let order = largestFirst
    try forEachIndex(below: members.count, width: width) { position throws(Fault) in
      let index = order[position]
      results[index] = try edit(
        index, target, rank: chosen?[index], dtype, dialect, algebra)
    }
    let edits = results.values.compactMap { $0 }
    return try EditedLoRA(edits, terms: terms)
  }

  /// Modules with the most work first, so that threads end together.
  private var largestFirst: [Int] {
    let costs = members.map { member in
      member.parts.reduce(0.0) { total, part in
        total
          + part.module.tensors.reduce(0.0) {
            $0 + Double(terms[part.term].file.source.tensors[$1].elementCount)
          }
      }
    }
    return members.indices.sorted { (costs[$1], $0) < (costs[$0], $1) }
  }

  /// The sum of the products of one target, and the shape of its weight.
  private func change(of index: Int, _ algebra: LinearAlgebra) throws(Fault) -> LowRank? {
    var products: [LowRank] = []
    for part in members[index].parts {
      let term = terms[part.term]
      let strength = term.strength(part.module.target)
      guard let product = try term.file.lowRank(of: part.module, times: strength)
      else { continue }
      guard product.up.isFinite, product.down.isFinite else {
        try term.file.requireFinite(width: 1)
        throw tooLarge(part)
      }
      products.append(product)
    }
    guard let first = products.first else { return nil }
    for other in products
    where other.up.rows != first.up.rows || other.down.columns != first.down.columns {
      throw Fault(
        .loraShapesDiffer, "is changed as weights of different shapes",
        tensor: TensorName(members[index].target.kohyaName),
        found:
          "\(first.up.rows) × \(first.down.columns) and \(other.up.rows) × \(other.down.columns)")
    }
    do throws(Fault) {
      return try LowRank.sum(products).bounded(algebra)
    } catch { throw members[index].parts.first.map { error.at("", $0.module) } ?? error }
  }

  /// The values of a module are finite, but its change is not.
  private func tooLarge(_ part: Part) -> Fault {
    let term = terms[part.term]
    return Fault(
      .loraEditOverflow, "makes a change beyond single precision", path: term.file.path,
      tensor: TensorName(part.module.name),
      found: "strength \(term.strength(part.module.target)), scale \(part.module.scale.value)",
      hint: "use a lower strength, or another version of the LoRA")
  }

  /// The singular values of the sum of one target.
  private func decomposition(
    _ change: LowRank, of index: Int, _ algebra: LinearAlgebra
  ) throws(Fault) -> Decomposition {
    do throws(Fault) {
      return try Decomposition(change.balanced(), algebra)
    } catch {
      // All factors are finite: their product is not.
      guard error.rule == .noFactorization, let part = members[index].parts.first
      else { throw error }
      throw tooLarge(part)
    }
  }

  private func outputTarget(_ index: Int, _ change: LowRank) -> OutputTarget {
    let shape = members[index].parts.lazy.compactMap(\.module.weightShape).first
    return OutputTarget(
      target: members[index].target,
      weightShape: shape ?? [change.up.rows, change.down.columns])
  }

  private func edit(
    _ index: Int, _ target: RankTarget, rank: Int?, _ dtype: DType, _ dialect: LoRADialect,
    _ algebra: LinearAlgebra
  ) throws(Fault) -> ModuleEdit {
    let tensors = try vectors(of: index, dtype, dialect)
    guard let change = try change(of: index, algebra) else {
      return ModuleEdit(
        target: OutputTarget(target: members[index].target, weightShape: []), rankBefore: 0,
        rank: 0, energy: 0, lost: 0, written: nil, vectors: tensors)
    }
    let output = outputTarget(index, change)
    // Of the exact sum too: the norm from the smaller factors, which tells whether anything is left.
    let decomposition = try decomposition(change, of: index, algebra)
    let energies = decomposition.energies
    let energy = energies.reduce(0, +)
    var kept = energy > 0 ? change.rank : 0
    var lost = 0.0
    var factors = change
    if target != .exact {
      kept = rank ?? target.rank(for: energies, hasKernel: output.hasKernel)
      lost = energies.dropFirst(kept).reduce(0, +)
      if kept > 0 { factors = try decomposition.truncated(to: kept, algebra) }
    }
    let written =
      kept > 0
      ? try OutputModule(factors, of: output, in: dialect, dtype: dtype, algebra) : nil
    return ModuleEdit(
      target: output, rankBefore: change.rank, rank: kept, energy: energy, lost: lost,
      written: written, vectors: tensors)
  }

  /// The ranks with which the file keeps within `budget` bytes.
  private func ranks(
    within budget: Int, _ dtype: DType, _ dialect: LoRADialect, _ algebra: LinearAlgebra,
    _ width: Int
  ) throws(Fault) -> [Int] {
    let found = Results(repeating: (energies: [Double](), cost: 0), count: members.count)
    let order = largestFirst
    try forEachIndex(below: members.count, width: width) { position throws(Fault) in
      let index = order[position]
      guard let change = try change(of: index, algebra) else { return }
      let values = (change.up.rows, change.down.columns)
      found[index] = (
        try decomposition(change, of: index, algebra).energies,
        (values.0 + values.1) * dtype.bitCount / 8
      )
    }
    let values = found.values
    let texts = try EditedLoRA.texts(
      of: terms, rank: "Dynamic", alpha: "Dynamic", kernelRanks: [1])
    let header = try SafeTensorsLayout(
      tensors: [], metadata: texts + LoRAOutput.placeholders
    ).header.count
    // In the header each tensor takes its name, type, shape and offsets; α takes four bytes.
    let overheads = members.map { member in
      LoRADialect.parts.compactMap { dialect.name(of: $0, of: member.target) }
        .reduce(4) { $0 + $1.utf8.count + 96 }
    }
    let ranks = RankTarget.ranks(
      for: values.map(\.energies), costs: values.map(\.cost), overheads: overheads,
      budget: budget - header - (try extraByteCount(dtype, dialect)))
    guard ranks.contains(where: { $0 > 0 }) else {
      throw Fault(
        .loraRankTarget, "the size cannot be reached", expected: "room for at least one rank",
        found: "\(budget) bytes, of which texts take \(header)", hint: "give a larger size")
    }
    return ranks
  }

  /// The bytes of what is written whatever the ranks: vectors and preserved tensors.
  private func extraByteCount(_ dtype: DType, _ dialect: LoRADialect) throws(Fault) -> Int {
    var tensors = try EditedLoRA.preserved(of: terms)
    for index in members.indices { tensors += try vectors(of: index, dtype, dialect) }
    return tensors.reduce(0) { $0 + $1.info.byteCount + $1.info.name.utf8.count + 96 }
  }

  /// The sums of what is no matrix: biases and norms.
  private func vectors(
    of index: Int, _ dtype: DType, _ dialect: LoRADialect
  ) throws(Fault) -> [OutputTensor] {
    var tensors: [OutputTensor] = []
    let (target, parts) = members[index]
    func add(_ part: LoRADialect.Part, _ factor: (LoRAModule) -> Factor?) throws(Fault) {
      var sum: [Float] = []
      var shape: [Int] = []
      for member in parts {
        guard let vector = factor(member.module) else { continue }
        let term = terms[member.term]
        let values = try term.file.values(of: vector)
        if sum.isEmpty {
          sum = [Float](repeating: 0, count: values.count)
          shape = vector.shape
        }
        guard values.count == sum.count else {
          throw Fault(
            .loraShapesDiffer, "is for a vector of another length", path: term.file.path,
            tensor: TensorName(member.module.name), expected: "\(sum.count)",
            found: "\(values.count)")
        }
        guard values.allSatisfy(\.isFinite) else {
          try term.file.requireFinite(width: 1)
          throw tooLarge(member)
        }
        // Norms have no scale of their own; the bias of an upper factor has that of its module.
        let scale = part == .normWeight ? 1 : member.module.biasScale
        let strength = Float(term.strength(target) * scale)
        for position in sum.indices { sum[position] += strength * values[position] }
      }
      guard !sum.isEmpty else { return }
      guard let name = dialect.name(of: part, of: target) else {
        throw Fault(
          .loraNoSpelling, "has changes of norms or biases, which diffusers does not read",
          tensor: TensorName(target.diffusersName), hint: "use --to kohya")
      }
      // There is no α for vectors: what half precision would lose keeps single precision.
      let largest = sum.reduce(0) { max($0, $1.magnitude) }
      let type = dtype == .f16 && largest < 0x1p-10 ? DType.f32 : dtype
      tensors.append(try OutputTensor(name, type, shape, values: sum))
    }
    let isNorm = parts.contains { $0.module.normWeight != nil }
    try add(.normWeight) { $0.normWeight }
    try add(isNorm ? .normBias : .biasDifference) { $0.bias }
    return tensors
  }
}

extension LoRAModule {
  /// The change of a normalisation's scale, which is also written as a full difference of one axis.
  fileprivate var normWeight: Factor? {
    switch adapter {
    case .norm(let factor): factor
    case .full(let factor) where factor.shape.count < 2: factor
    default: nil
    }
  }
}
