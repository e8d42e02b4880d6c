import StableDiffusion
import Tensors

/// Reads the factors of a module and makes changes of them that can be computed row by row.
struct ChangePreparation {
  let file: LoRAFile
  let form: WeightForm
  let axis: Magnitude.Axis?
  let compatibility: Set<LoRACompatibility>
  /// Rows of the weight as it is.
  let weight: (Range<Int>) throws(Fault) -> [Float]

  /// What `module` does to the weight at `strength`.
  func changes(
    of module: LoRAModule, strength: Double
  ) throws(Fault) -> [any WeightChange] {
    guard strength != 0 else { return [] }
    guard let magnitude = module.magnitude else {
      return try plain(module, strength)
    }
    let inner = try plain(module, 1)
    let values = try file.source.doubles(of: magnitude.factor.tensor)
    let isComfy = compatibility.contains(.comfyDoRA)
    // LyCORIS adds the smallest step of a single to every norm; PEFT adds nothing.
    let epsilon = magnitude.hasEpsilon || isComfy ? Double(Float.ulpOfOne) : 0
    let isWebUI = compatibility.contains(.a1111DoRAIn)
    let lengths: DecomposedChange.Lengths
    switch module.magnitudeAxis(form, isWebUI && magnitude.axis != .output ? .input : axis) {
    case .output where isWebUI:
      // The web UI takes norms over the outputs, and multiplies by magnitudes as their shape says.
      let ones = [Double](repeating: 1, count: form.inputs)
      lengths = .rowsAndColumns(values, try columnFactors(inner, ones, 0))
    case .output where isComfy: lengths = .rowsOfBase(values, epsilon: epsilon)
    case .output: lengths = .rows(values, epsilon: epsilon)
    case .input: lengths = .columns(try columnFactors(inner, values, epsilon))
    case nil: return []
    }
    return [
      DecomposedChange(
        inner: inner, lengths: lengths, strength: strength, columns: form.columns,
        kernel: form.kernel)
    ]
  }

  /// `s / ‖V‖` for every input, over all rows and the kernel.
  private func columnFactors(
    _ inner: [any WeightChange], _ magnitudes: [Double], _ epsilon: Double
  ) throws(Fault) -> [Double] {
    var squares = [Double](repeating: 0, count: form.inputs)
    let group = inner.map(\.rowGroup).max() ?? 1
    let step = max(group, (1 << 16) / max(1, form.columns) / group * group)
    for first in stride(from: 0, to: form.rows, by: step) {
      let rows = first..<min(form.rows, first + step)
      let own = try weight(rows)
      let values = try DecomposedChange.decomposed(rows, inner, own.span)
      for row in 0..<rows.count {
        for column in 0..<form.columns {
          let value = Double(values[row * form.columns + column])
          squares[column / form.kernel] += value * value
        }
      }
    }
    return zip(magnitudes, squares).map { magnitude, square in
      let norm = square.squareRoot() + epsilon
      return norm > 0 ? magnitude / norm : 0
    }
  }

  private func plain(
    _ module: LoRAModule, _ strength: Double
  ) throws(Fault) -> [any WeightChange] {
    let scale = strength * module.scale.value
    var changes: [any WeightChange] = []
    switch module.adapter {
    case .lowRank(let up, let down, let mid):
      var lower: ThinMatrix?
      if let mid { lower = try contracted(mid, down) }
      changes.append(try product(up, down, lower, scale))
    case .hadamard(let first, let second):
      changes.append(
        HadamardChange(first: try side(first, scale), second: try side(second, 1)))
    case .kronecker(let left, let right): changes.append(try kronecker(left, right, scale))
    case .generalized(let a1, let a2, let b1, let b2):
      changes.append(try product(b1, b2, nil, scale))
      changes.append(try multiplied(a1, a2, scale))
    case .oldGeneralized(let a1, let a2, let b1, let b2):
      changes.append(try product(b2, b1, nil, scale))
      changes.append(try multiplied(a2, a1, scale))
    case .scaling(let factor, let onInput):
      changes.append(
        ScalingChange(
          factors: try file.values(of: factor).scaled(by: strength), onInput: onInput,
          columns: form.columns, kernel: form.kernel))
    case .ratio(let factor, _):
      changes.append(
        ScalingChange(
          factors: try ratios(factor, strength), onInput: module.scalesInputs(form),
          columns: form.columns, kernel: form.kernel))
    case .full(let factor), .norm(let factor):
      changes.append(
        DifferenceChange(
          source: file.source, tensor: factor.tensor, columns: form.columns, strength: strength))
    case .replacement(let factor):
      changes.append(
        ReplacementChange(source: file.source, tensor: factor.tensor, columns: form.columns))
    case .biasOnly: break
    case .orthogonal(let adapter):
      changes.append(
        try OrthogonalPreparation(file: file, adapter: adapter, form: form).change(strength))
    case .inputRotation(let rotation):
      changes.append(
        try InputRotationPreparation(file: file, rotation: rotation, form: form).change(strength))
    }
    if let sparse = module.sparse {
      changes.append(
        SparseChange(
          entries: try SparseChange.entries(of: sparse, in: file, form).map {
            ($0.row, $0.column, Float(Double($0.value) * scale))
          }, columns: form.columns))
    }
    return changes
  }

  /// What `module` does to the bias of its weight at `strength`.
  func biasChanges(
    of module: LoRAModule, strength: Double
  ) throws(Fault) -> [any WeightChange] {
    if module.scalesBias, let factor = module.adapter.factors.first {
      return [
        ScalingChange(
          factors: try ratios(factor, strength), onInput: false, columns: form.columns, kernel: 1)
      ]
    }
    guard let bias = module.bias else { return [] }
    return [
      DifferenceChange(
        source: file.source, tensor: bias.tensor, columns: form.columns,
        strength: strength * module.biasScale)
    ]
  }

  private func ratios(_ factor: Factor, _ strength: Double) throws(Fault) -> [Float] {
    try file.source.doubles(of: factor.tensor).map { Float(strength * ($0 - 1)) }
  }

  private func product(
    _ up: Factor, _ down: Factor, _ lower: ThinMatrix?, _ scale: Double
  ) throws(Fault) -> LowRankChange {
    let left = try file.values(of: up).scaled(by: scale)
    if let lower { return LowRankChange(up: left, down: lower) }
    return LowRankChange(up: left, down: try matrix(down))
  }

  private func matrix(_ factor: Factor) throws(Fault) -> ThinMatrix {
    ThinMatrix(rank: factor.rows, columns: factor.columns, try file.values(of: factor))
  }

  /// A core with its lower factor inside: `E[i, c, p] = Σ core[i, j, p] · b[j, c]`, which is a lower
  /// factor for the whole kernel.
  private func contracted(_ core: Factor, _ b: Factor) throws(Fault) -> ThinMatrix {
    let values = try file.values(of: core)
    let lower = try matrix(b)
    let (rank, inner, inputs) = (core.rows, core.shape[1], b.columns)
    let kernel = core.shape.dropFirst(2).reduce(1, &*)
    var result = [Float](repeating: 0, count: rank * inputs * kernel)
    for position in 0..<kernel {
      var slice = [Float](repeating: 0, count: rank * inner)
      for index in 0..<rank * inner { slice[index] = values[index * kernel + position] }
      var product = [Float](repeating: 0, count: rank * inputs)
      var span = product.mutableSpan
      lower.addProduct(of: slice.span, into: &span)
      for index in 0..<rank * inputs { result[index * kernel + position] = product[index] }
    }
    return ThinMatrix(rank: rank, columns: inputs * kernel, result)
  }

  private func side(_ factor: HadamardFactor, _ scale: Double) throws(Fault) -> LowRankChange {
    guard let core = factor.core else { return try product(factor.a, factor.b, nil, scale) }
    return LowRankChange(
      up: transposed(try file.values(of: factor.a), factor.a).scaled(by: scale),
      down: try contracted(core, factor.b))
  }

  private func transposed(_ values: [Float], _ factor: Factor) -> [Float] {
    var result = [Float](repeating: 0, count: values.count)
    for row in 0..<factor.rows {
      for column in 0..<factor.columns {
        result[column * factor.rows + row] = values[row * factor.columns + column]
      }
    }
    return result
  }

  private func kronecker(
    _ left: KroneckerFactor, _ right: KroneckerFactor, _ scale: Double
  ) throws(Fault) -> KroneckerChange {
    let a = try dense(left), b = try dense(right)
    return KroneckerChange(
      left: a.values.scaled(by: scale), leftColumns: a.columns, right: b.values,
      rightRows: b.values.count / max(1, b.columns), rightColumns: b.columns)
  }

  private func dense(
    _ factor: KroneckerFactor
  ) throws(Fault) -> (values: [Float], columns: Int) {
    let factors: (up: [Float], down: ThinMatrix)
    switch factor {
    case .whole(let whole): return (try file.values(of: whole), whole.columns)
    case .product(let a, let b): factors = (try file.values(of: a), try matrix(b))
    case .tucker(let core, let a, let b):
      factors = (transposed(try file.values(of: a), a), try contracted(core, b))
    }
    let up = factors.up, down = factors.down
    var values = [Float](repeating: 0, count: up.count / max(1, down.rank) * down.columns)
    var span = values.mutableSpan
    down.addProduct(of: up.span, into: &span)
    return (values, down.columns)
  }

  private func multiplied(
    _ first: Factor, _ second: Factor, _ scale: Double
  ) throws(Fault) -> MultipliedChange {
    MultipliedChange(
      first: try matrix(first),
      second: ThinMatrix(
        rank: second.rows, columns: second.columns,
        try file.values(of: second).scaled(by: scale)), kernel: form.kernel)
  }
}
