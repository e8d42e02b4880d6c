import StableDiffusion
import Tensors

/// Makes the module of a group: which algebra it is, and whether its factors fit each other.
struct ModuleAssembly {
  let group: ModuleGroup
  let target: LoRATarget
  let source: any TensorSource

  init(_ group: ModuleGroup, _ source: any TensorSource) {
    self.group = group
    self.source = source
    target = LoRATarget.all[group.target]
  }

  /// The factor for `slot`, if it is there.
  func factor(_ slot: Slot) -> Factor? {
    group.members[slot].map { Factor(tensor: $0, shape: source.tensors[$0].shape) }
  }

  /// The factor for `slot`, which must be there.
  func needed(_ slot: Slot, _ what: String) throws(Fault) -> Factor {
    if let factor = factor(slot) { return factor }
    throw fault("lacks \(what)")
  }

  func fault(_ message: String, expected: String? = nil, found: String? = nil) -> Fault {
    Fault(
      .loraFactors, message, tensor: group.stem, expected: expected, found: found,
      hint: "the file is damaged, or put together from two; get it again")
  }

  /// The module, complete.
  func module(_ settings: AdapterSettings) throws(Fault) -> LoRAModule {
    let adapter = try self.adapter(settings)
    let shape = try weightShape(adapter)
    let scale = try scale(of: adapter, settings)
    let upBias = factor(.upBias)
    let difference = factor(.biasDifference) ?? factor(.normBias)
    guard upBias == nil || difference == nil else {
      throw fault("has two changes of one bias")
    }
    return LoRAModule(
      target: target, name: group.stem.string, adapter: adapter,
      scale: scale, magnitude: try magnitude(),
      bias: upBias ?? difference, biasScale: upBias == nil ? 1 : scale.value,
      sparse: try sparse(), weightShape: shape, tensors: group.tensors)
  }

  private func has(_ slots: Slot...) -> Bool {
    slots.contains { group.members[$0] != nil }
  }

  private func adapter(_ settings: AdapterSettings) throws(Fault) -> Adapter {
    var found: [Adapter] = []
    if has(.up, .down, .middle, .upBias) {
      found.append(
        .lowRank(
          up: try needed(.up, "its upper factor"), down: try needed(.down, "its lower factor"),
          mid: factor(.middle)))
    }
    if has(.hadamard1A, .hadamard1B, .hadamard2A, .hadamard2B) { found.append(try hadamard()) }
    if has(.left, .leftA, .leftB, .right, .rightA, .rightB) { found.append(try kronecker()) }
    if has(.a1, .a2, .b1, .b2, .bm) { found.append(try generalized()) }
    if let weight = factor(.weight), let onInput = group.members[.onInput] {
      found.append(.scaling(weight, onInput: try number(onInput, "on_input") != 0))
    }
    if let ratio = factor(.ratio) {
      found.append(.ratio(ratio, onInput: scalesInputs(ratio, settings)))
    }
    if let blocks = factor(.blocks) { found.append(try orthogonal(blocks)) }
    if let blocks = factor(.inputBlocks) {
      found.append(.inputRotation(try inputRotation(blocks, settings)))
    }
    if has(.inputButterflies, .inputRescale) {
      found.append(.inputRotation(try inputButterflies()))
    }
    if let rotations = factor(.rotations) {
      guard rotations.shape.count == 3, rotations.shape[1] == rotations.shape[2] else {
        throw fault("has rotations that are not square", found: "\(rotations.shape)")
      }
      found.append(
        .orthogonal(
          OrthogonalAdapter(
            form: .rotation, blocks: rotations, rescale: factor(.rescale), constraint: 0)))
    }
    if let difference = factor(.difference) { found.append(.full(difference)) }
    if let norm = factor(.normWeight) { found.append(.norm(norm)) }
    if let replacement = factor(.replacement) { found.append(.replacement(replacement)) }
    guard let adapter = found.first else {
      guard has(.biasDifference, .normBias) else {
        throw fault("has settings but no factors")
      }
      return .biasOnly
    }
    guard found.count == 1 else {
      throw Fault(
        .loraDuplicate, "is changed by two algebras at once", tensor: group.stem,
        found: found.map(\.kind.rawValue).joined(separator: " and "))
    }
    return adapter
  }

  private func hadamard() throws(Fault) -> Adapter {
    let cores = (factor(.hadamardCore1), factor(.hadamardCore2))
    guard (cores.0 == nil) == (cores.1 == nil) else { throw fault("has only one Tucker core") }
    return .hadamard(
      HadamardFactor(
        a: try needed(.hadamard1A, "hada_w1_a"), b: try needed(.hadamard1B, "hada_w1_b"),
        core: cores.0),
      HadamardFactor(
        a: try needed(.hadamard2A, "hada_w2_a"), b: try needed(.hadamard2B, "hada_w2_b"),
        core: cores.1))
  }

  private func kronecker() throws(Fault) -> Adapter {
    func side(
      _ whole: Slot, _ a: Slot, _ b: Slot, _ core: Slot, _ name: String
    ) throws(Fault) -> KroneckerFactor {
      if let whole = factor(whole) {
        guard !has(a, b) else { throw fault("has lokr_\(name) both whole and factored") }
        return .whole(whole)
      }
      let a = try needed(a, "lokr_\(name) or lokr_\(name)_a")
      let b = try needed(b, "lokr_\(name)_b")
      if let core = factor(core) { return .tucker(core: core, a: a, b: b) }
      return .product(a: a, b: b)
    }
    return .kronecker(
      left: try side(.left, .leftA, .leftB, .leftCore, "w1"),
      right: try side(.right, .rightA, .rightB, .rightCore, "w2"))
  }

  private func generalized() throws(Fault) -> Adapter {
    guard !has(.bm) else {
      throw Fault(
        .loraUnmergeable, "is a GLoRA with a Tucker core, which LyCORIS itself never writes",
        tensor: group.stem)
    }
    let a1 = try needed(.a1, "a1.weight"), a2 = try needed(.a2, "a2.weight")
    let b1 = try needed(.b1, "b1.weight"), b2 = try needed(.b2, "b2.weight")
    if a1.columns == a2.rows, b1.columns == b2.rows {
      return .generalized(a1: a1, a2: a2, b1: b1, b2: b2)
    }
    if a2.columns == a1.rows, b2.columns == b1.rows {
      return .oldGeneralized(a1: a1, a2: a2, b1: b1, b2: b2)
    }
    throw fault(
      "has factors of a GLoRA that cannot be multiplied",
      found: "a1 \(a1.shape), a2 \(a2.shape), b1 \(b1.shape), b2 \(b2.shape)")
  }

  private func orthogonal(_ blocks: Factor) throws(Fault) -> Adapter {
    let rank = blocks.shape.count
    guard rank == 3 || rank == 4, blocks.shape[rank - 1] == blocks.shape[rank - 2] else {
      throw fault(
        "has rotation blocks of another form", expected: "[count, size, size]",
        found: "\(blocks.shape)")
    }
    guard rank == 3 || blocks.shape[3] % 2 == 0 else {
      throw fault("has butterflies of an odd size", found: "\(blocks.shape)")
    }
    let form: OrthogonalAdapter.Form =
      rank == 4 ? .butterfly : group.style == .kohyaOFT ? .kohyaSkew : .skew
    let constraint = try group.members[.alpha].map { index throws(Fault) in
      try number(index, "alpha")
    }
    return .orthogonal(
      OrthogonalAdapter(
        form: form, blocks: blocks, rescale: factor(.rescale), constraint: constraint ?? 0))
  }

  /// Whether factors are those of inputs: as the shape of a matrix tells, or the settings.
  private func scalesInputs(_ factor: Factor, _ settings: AdapterSettings) -> Bool? {
    if factor.shape.count == 2, factor.elementCount > 1 { return factor.shape[0] == 1 }
    return settings.scalesInputs(of: target)
  }

  private func inputRotation(
    _ blocks: Factor, _ settings: AdapterSettings
  ) throws(Fault) -> InputRotation {
    guard let rotation = settings.rotation(of: target) else {
      throw Fault(
        .loraSettings, "does not say how its rotations are computed", tensor: group.stem,
        expected: "adapter_config.json beside it, with peft_type OFT",
        hint: "put PEFT's whole folder together and give that")
    }
    let made = InputRotation(
      form: .triangles(rotation.cayley), blocks: blocks, rescale: nil, bound: rotation.bound)
    guard blocks.shape.count == 2, made.size > 0, made.size <= Self.largestRotation else {
      throw fault(
        "has rotation blocks of another form", expected: "[count, n · (n − 1) / 2]",
        found: "\(blocks.shape)")
    }
    return made
  }

  private func inputButterflies() throws(Fault) -> InputRotation {
    let blocks = try needed(.inputButterflies, "boft_R")
    let made = InputRotation(
      form: .butterflies, blocks: blocks, rescale: try needed(.inputRescale, "boft_s"),
      bound: nil)
    guard blocks.shape.count == 4, blocks.shape[2] == blocks.shape[3], made.size > 0,
      made.size <= Self.largestRotation, made.stageCount > 0
    else {
      throw fault(
        "has butterflies of another form", expected: "[factors, count, n, n]",
        found: "\(blocks.shape)")
    }
    return made
  }

  /// No useful rotation is larger, and memory is bounded by it.
  private static let largestRotation = 2560

  private func sparse() throws(Fault) -> SparseDifference? {
    guard has(.sparseIndices, .sparseValues, .sparseSize) else { return nil }
    let indices = try needed(.sparseIndices, "bias_indices")
    let values = try needed(.sparseValues, "bias_values")
    let size = try needed(.sparseSize, "bias_size")
    guard indices.shape == [2, values.elementCount], size.elementCount == 2 else {
      throw fault(
        "has a sparse difference that is no matrix",
        found: "indices \(indices.shape), values \(values.shape), size \(size.shape)")
    }
    return SparseDifference(indices: indices, values: values, size: size)
  }

  /// The magnitudes; their axis where the shape tells it.
  private func magnitude() throws(Fault) -> Magnitude? {
    if let vector = factor(.magnitude) {
      return Magnitude(factor: vector, axis: .output, hasEpsilon: false)
    }
    guard let scale = factor(.doraScale) else { return nil }
    let axis: Magnitude.Axis?
    switch scale.shape.count {
    // [out, 1, …], or [1, in, …].
    case 2... where scale.shape[0] > 1: axis = scale.columns == 1 ? .output : nil
    case 2... where scale.elementCount > 1: axis = .input
    default: axis = nil
    }
    return Magnitude(factor: scale, axis: axis, hasEpsilon: true)
  }

  /// The one value of a tensor.
  func number(_ index: Int, _ what: String) throws(Fault) -> Double {
    let info = source.tensors[index]
    guard info.elementCount == 1 else {
      throw Fault(
        .loraSettings, "is not one number", tensor: info.name, expected: "one value for \(what)",
        found: "shape \(info.shape)")
    }
    let value = try source.doubles(of: index).first ?? .nan
    guard value.isFinite else {
      throw Fault(
        .loraSettings, "is not finite", tensor: info.name, expected: "a number",
        found: "\(value)")
    }
    return value
  }
}
