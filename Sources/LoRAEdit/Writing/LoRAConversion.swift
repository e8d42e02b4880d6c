import LinearAlgebra
public import LoRA
import StableDiffusion
public import Tensors

/// The same LoRA in another spelling.
///
/// Factors keep every bit where the spelling can hold them: kohya and ComfyUI always, diffusers where
/// α is the rank, since it has no α. LoHa, LoKr and Tucker cores become plain products.
///
///     let converted = try LoRAConversion(file, to: .diffusers).made(width: 2)
///     try converted.output.write(to: "pytorch_lora_weights.safetensors")
public struct LoRAConversion: Sendable {
  /// What happens to a module.
  public enum Change: String, CaseIterable, Sendable {
    /// Every bit of its factors stays.
    case renamed
    /// α became part of the upper factor, with one rounding.
    case folded = "α folded into the factors"
    /// Its algebra became that of plain LoRA.
    case rewritten = "rewritten as plain LoRA"
  }

  /// A LoRA in its new spelling.
  public struct Result: Sendable {
    /// For each module its target, what happened, and its kind before.
    public let modules: [(target: LoRATarget, change: Change, kind: AdapterKind)]
    /// The file.
    public let output: LoRAOutput
  }

  /// What is converted.
  public let file: LoRAFile
  /// The spelling that is wanted.
  public let dialect: LoRADialect

  /// The conversion of `file`.
  ///
  /// - Throws: the first error among the findings of the file.
  public init(
    _ file: LoRAFile, to dialect: LoRADialect, allowingUnmatched: Bool = false
  ) throws(Fault) {
    try file.requireUsable(allowingUnmatched: allowingUnmatched)
    self.file = file
    self.dialect = dialect
  }

  /// Computes the new tensors.
  ///
  /// - Parameters:
  ///   - dtype: the type of the factors; `nil` keeps each one's.
  ///   - width: the number of threads; the result is the same for every number.
  /// - Returns: the file, and what happened to each module.
  /// - Throws: ``Rule/loraNoSpelling``, ``Rule/loraNotLowRank``, ``Rule/loraEditOverflow``,
  ///   ``Rule/loraNonFinite``, ``Rule/loraEditTooLarge``, or what reading throws.
  public func made(dtype: DType? = nil, width: Int) throws(Fault) -> Result {
    for module in file.modules { try file.checkSize(of: module) }
    try file.requireFinite(width: width)
    let found = Results(repeating: (Change.renamed, [OutputTensor]()), count: file.modules.count)
    try forEachIndex(below: file.modules.count, width: width) { index throws(Fault) in
      found[index] = try converted(file.modules[index], dtype)
    }
    let values = found.values
    var tensors = values.flatMap { $0.1 }
    for (index, entry) in file.ledger.enumerated() {
      guard case .preserved(_) = entry else { continue }
      let info = file.source.tensors[index]
      tensors.append(
        try OutputTensor(info.name, info.dtype, info.shape, bytes: try file.source.bytes(of: index))
      )
    }
    var texts = LoRATexts(of: file)
    texts.remove("lora_adapter_metadata")
    if dialect == .diffusers { texts.set("format", "pt") }
    let modules = zip(file.modules, values).map {
      (target: $0.target, change: $1.0, kind: $0.adapter.kind)
    }
    if modules.contains(where: { $0.change != .renamed }) || file.text("ss_network_dim") == nil {
      let ranks = tensors.filter {
        $0.info.name.hasSuffix(dialect == .diffusers ? "lora_A.weight" : "lora_down.weight")
      }
      .map { $0.info.shape.first ?? 1 }
      let rank = LoRATexts.common(ranks)
      let changed = modules.contains { $0.change != .renamed }
      if modules.contains(where: { $0.change == .rewritten }) {
        texts.set("ss_network_module", "networks.lora")
      }
      texts.setNetwork(rank: rank, alpha: changed ? rank : file.text("ss_network_alpha") ?? alpha())
    }
    return Result(
      modules: modules, output: try LoRAOutput(tensors: tensors, texts: texts.entries))
  }

  /// α of all modules if it is the same.
  private func alpha() -> String {
    let values = file.modules.compactMap { module -> Double? in
      guard case .lowRank = module.adapter, let rank = module.scale.rank else { return nil }
      return module.scale.value * Double(rank)
    }
    guard let first = values.first, values.allSatisfy({ $0 == first }) else { return "Dynamic" }
    return "\(first)"
  }

  private func converted(
    _ module: LoRAModule, _ dtype: DType?
  ) throws(Fault) -> (Change, [OutputTensor]) {
    var tensors: [OutputTensor] = []
    var change = Change.renamed
    switch module.adapter {
    case .lowRank(let up, let down, nil) where module.sparse == nil:
      (change, tensors) = try plain(module, up: up, down: down, dtype)
    case .lowRank, .hadamard, .kronecker: (change, tensors) = try rewritten(module, dtype)
    case .full(let factor) where factor.shape.count >= 2 && dialect == .diffusers:
      (change, tensors) = try rewritten(module, dtype)
    case .norm(let factor): tensors = [try vector(factor, .normWeight, module, dtype)]
    case .biasOnly: break
    case .ratio, .inputRotation: throw noSpelling(module)
    default: return (.renamed, try verbatim(module, dtype))
    }
    if let bias = module.bias {
      let isNorm = if case .norm = module.adapter { true } else { false }
      tensors.append(
        try vector(
          bias, isNorm ? .normBias : .biasDifference, module, dtype, times: module.biasScale))
    }
    if let magnitude = module.magnitude {
      tensors.append(try self.magnitude(magnitude, module, dtype))
    }
    return (change, tensors)
  }

  /// The values of a tensor, as they are or in another type.
  private func tensor(
    _ name: TensorName, _ factor: Factor, _ shape: [Int], _ dtype: DType?
  ) throws(Fault) -> OutputTensor {
    let info = file.source.tensors[factor.tensor]
    guard let dtype, dtype != info.dtype else {
      return try OutputTensor(
        name, info.dtype, shape, bytes: try file.source.bytes(of: factor.tensor))
    }
    return try OutputTensor(name, dtype, shape, values: try file.values(of: factor))
  }

  private func plain(
    _ module: LoRAModule, up: Factor, down: Factor, _ dtype: DType?
  ) throws(Fault) -> (Change, [OutputTensor]) {
    let rank = up.columns
    let shapes = FactorShapes(
      weight: module.weightShape ?? [up.rows, down.columns], rank: rank)
    guard let upName = dialect.name(of: .up, of: module.target),
      let downName = dialect.name(of: .down, of: module.target)
    else { throw noSpelling(module) }
    var tensors = [try tensor(downName, down, shapes.down, dtype)]
    let scale = module.scale.value
    if let alphaName = dialect.name(of: .alpha, of: module.target) {
      tensors.append(try tensor(upName, up, shapes.up, dtype))
      tensors.append(
        try OutputTensor(alphaName, .f32, [], values: [Float(scale * Double(rank))]))
      return (.renamed, tensors)
    }
    guard scale != 1 else {
      tensors.append(try tensor(upName, up, shapes.up, dtype))
      return (.renamed, tensors)
    }
    let values = try file.values(of: up).map { Float(Double($0) * scale) }
    let type = dtype ?? file.source.tensors[up.tensor].dtype
    let largest = values.reduce(0) { max($0, $1.magnitude) }
    if type == .f16, largest > 0, !(0x1p-6..<0x1p15).contains(largest),
      let product = try file.lowRank(of: module), product.rank == rank
    {
      // Half precision would lose digits: a power of two goes over to the other factor.
      tensors = [try OutputTensor(downName, type, shapes.down, values: product.down.values)]
      tensors.append(try OutputTensor(upName, type, shapes.up, values: product.up.values))
      return (.folded, tensors)
    }
    tensors.append(try OutputTensor(upName, type, shapes.up, values: values))
    return (.folded, tensors)
  }

  private func rewritten(
    _ module: LoRAModule, _ dtype: DType?
  ) throws(Fault) -> (Change, [OutputTensor]) {
    guard let change = try file.lowRank(of: module) else { throw noSpelling(module) }
    let target = OutputTarget(
      target: module.target,
      weightShape: module.weightShape ?? [change.up.rows, change.down.columns])
    let kept = module.adapter.factors.first.map { file.source.tensors[$0.tensor].dtype }
    let type = dtype ?? (kept.flatMap { [.f16, .bf16, .f32].contains($0) ? $0 : nil } ?? .f32)
    return (
      .rewritten,
      try OutputModule(change, of: target, in: dialect, dtype: type, LinearAlgebra.load()).tensors
    )
  }

  private func vector(
    _ factor: Factor, _ part: LoRADialect.Part, _ module: LoRAModule, _ dtype: DType?,
    times scale: Double = 1
  ) throws(Fault) -> OutputTensor {
    guard let name = dialect.name(of: part, of: module.target) else { throw noSpelling(module) }
    guard scale == 1 else {
      let values = try file.values(of: factor).map { Float(Double($0) * scale) }
      return try OutputTensor(
        name, dtype ?? file.source.tensors[factor.tensor].dtype, factor.shape, values: values)
    }
    return try tensor(name, factor, factor.shape, dtype)
  }

  /// Magnitudes in the shape that the spelling gives them.
  private func magnitude(
    _ magnitude: Magnitude, _ module: LoRAModule, _ dtype: DType?
  ) throws(Fault) -> OutputTensor {
    let count = magnitude.factor.elementCount
    let axes = max(2, module.weightShape?.count ?? 2)
    let ones = Array(repeating: 1, count: axes - 2)
    guard let axis = magnitude.axis, let name = dialect.name(of: .magnitude, of: module.target)
    else {
      throw Fault(
        .loraAxis, "has magnitudes that fit outputs and inputs", path: file.path,
        tensor: TensorName(module.name), found: "\(magnitude.factor.shape)")
    }
    switch (dialect, axis) {
    case (.diffusers, .input): throw noSpelling(module)
    case (.diffusers, .output):
      return try tensor(
        name, magnitude.factor, axes == 2 ? [count] : [1, count] + ones, dtype)
    case (_, .output): return try tensor(name, magnitude.factor, [count, 1] + ones, dtype)
    case (_, .input): return try tensor(name, magnitude.factor, [1, count] + ones, dtype)
    }
  }

  /// An adapter that has only LyCORIS' names: they stay behind another module name.
  private func verbatim(_ module: LoRAModule, _ dtype: DType?) throws(Fault) -> [OutputTensor] {
    guard dialect != .diffusers else { throw noSpelling(module) }
    let stem = dialect.stem(of: module.target)
    var tensors: [OutputTensor] = []
    for index in module.tensors {
      let info = file.source.tensors[index]
      guard let end = info.name.dropping(prefix: module.name), end.utf8.first == UInt8(ascii: ".")
      else { throw noSpelling(module) }
      let isFactor = info.elementCount > 1 && info.dtype.isFloatingPoint
      tensors.append(
        try tensor(
          TensorName(stem + end.string), Factor(tensor: index, shape: info.shape), info.shape,
          isFactor ? dtype : nil))
    }
    return tensors
  }

  private func noSpelling(_ module: LoRAModule) -> Fault {
    let isWritable =
      switch module.adapter {
      case .ratio, .inputRotation: false
      default: dialect == .diffusers
      }
    return Fault(
      .loraNoSpelling, "cannot be written in the spelling of \(dialect.rawValue)",
      path: file.path, tensor: TensorName(module.name),
      found: module.adapter.kind.rawValue
        + (module.magnitude?.axis == .input ? " with magnitudes of inputs" : ""),
      hint: isWritable ? "use --to kohya" : "merge it with sdtool lora-merge")
  }
}
