import LinearAlgebra
public import LoRA
public import Tensors

extension LoRAFile {
  /// What a module adds to its weight at strength 1, as a product of two matrices; exact up to the
  /// rounding of single precision.
  ///
  /// LoCon with a Tucker core becomes LoCon, LoHa a product of rank r² (Khatri–Rao), LoKr a product
  /// of Kronecker products, a full difference one with an identity.
  ///
  /// - Returns: the product; `nil` for a module that changes no matrix (norms, biases). A magnitude
  ///   (DoRA) is not part of it.
  /// - Throws: ``Rule/loraNotLowRank`` for what depends on the weight, ``Rule/loraEditTooLarge``,
  ///   ``Rule/linearAlgebraMissing``, or what reading throws.
  public func lowRank(of module: LoRAModule) throws(Fault) -> LowRank? {
    try lowRank(of: module, times: 1)
  }

  /// ``lowRank(of:)`` at another strength.
  func lowRank(of module: LoRAModule, times strength: Double) throws(Fault) -> LowRank? {
    guard module.sparse == nil else { throw notLowRank(module, "a sparse difference beside it") }
    switch module.adapter {
    case .norm, .biasOnly: return nil
    case .full(let factor) where factor.shape.count < 2: return nil
    case .generalized, .oldGeneralized, .scaling, .ratio, .orthogonal, .inputRotation, .replacement:
      throw notLowRank(module, "a change that depends on the weight")
    default: break
    }
    let algebra = try LinearAlgebra.load()
    try checkSize(of: module)
    do throws(Fault) {
      return try LowRankForm(file: self, algebra: algebra, module: module).form()
        .balanced(by: module.scale.value * strength).bounded(algebra)
    } catch {
      throw error.at(path, module)
    }
  }

  private func notLowRank(_ module: LoRAModule, _ found: String) -> Fault {
    Fault(
      .loraNotLowRank, "has no low-rank form", path: path, tensor: TensorName(module.name),
      expected: "a change that is the same for every model",
      found: "\(module.adapter.kind.rawValue), \(found)",
      hint: "merge it with sdtool lora-merge, then use sdtool lora-extract")
  }
}

extension Fault {
  /// The same occurrence, in a module of a file unless it already names them.
  func at(_ path: String, _ module: LoRAModule) -> Fault {
    var copy = at(path)
    copy.tensor = tensor ?? TensorName(module.name)
    return copy
  }
}

/// The products of one module.
private struct LowRankForm {
  let file: LoRAFile
  let algebra: LinearAlgebra
  let module: LoRAModule

  func form() throws(Fault) -> LowRank {
    switch module.adapter {
    case .lowRank(let up, let down, nil):
      return try product(matrix(up), matrix(down))
    case .lowRank(let up, let down, let core?):
      return try product(
        matrix(up), contracted(core, try matrix(down)))
    case .hadamard(let first, let second): return try hadamard(side(first), side(second))
    case .kronecker(let left, let right): return try kronecker(side(left), side(right))
    case .full(let factor): return .whole(try matrix(factor))
    default: throw misfit()
    }
  }

  /// The faults below cannot occur in modules whose factors were checked when they were read.
  private func misfit() -> Fault {
    Fault(.loraFactors, "has factors that do not fit each other", tensor: TensorName(module.name))
  }

  private func matrix(_ factor: Factor) throws(Fault) -> Matrix<Float> {
    let (rows, columns) = (factor.rows, factor.columns)
    guard rows.multipliedReportingOverflow(by: columns) == (factor.elementCount, false) else {
      throw misfit()
    }
    let values = try file.values(of: factor)
    guard values.count == rows * columns else { throw misfit() }
    return Matrix(rows: rows, columns: columns, values: values)
  }

  private func product(_ up: Matrix<Float>, _ down: Matrix<Float>) throws(Fault) -> LowRank {
    guard up.columns == down.rows else { throw misfit() }
    return LowRank(up: up, down: down)
  }

  /// A Tucker core `[n, m, kh, kw]` times `[m, in]`: `[n, in × kh × kw]`.
  private func contracted(_ core: Factor, _ down: Matrix<Float>) throws(Fault) -> Matrix<Float> {
    guard core.shape.count >= 2, core.shape[1] == down.rows else { throw misfit() }
    let (outer, inner, inputs) = (core.shape[0], core.shape[1], down.columns)
    let area = core.shape.dropFirst(2).reduce(1, &*)
    let values = try file.values(of: core)
    guard values.count == outer * inner * area else { throw misfit() }
    // The core as [n, m] for each position, then each product spread over the positions.
    var result = Matrix<Float>(rows: outer, columns: inputs * area)
    for position in 0..<area {
      var slice = Matrix<Float>(rows: outer, columns: inner)
      for index in 0..<outer * inner { slice.values[index] = values[index * area + position] }
      let part = try algebra.product(slice, down)
      for row in 0..<outer {
        for input in 0..<inputs {
          result[row, input * area + position] = part[row, input]
        }
      }
    }
    return result
  }

  private func side(_ factor: HadamardFactor) throws(Fault) -> LowRank {
    let (a, b) = (try matrix(factor.a), try matrix(factor.b))
    guard let core = factor.core else { return try product(a, b) }
    return try product(a.transposed, contracted(core, b))
  }

  private func side(_ factor: KroneckerFactor) throws(Fault) -> LowRank {
    switch factor {
    case .whole(let whole): return .whole(try matrix(whole))
    case .product(let a, let b): return try product(matrix(a), matrix(b))
    case .tucker(let core, let a, let b):
      return try product(matrix(a).transposed, contracted(core, try matrix(b)))
    }
  }

  /// (A₁B₁) ⊙ (A₂B₂): every column of A₁ times every column of A₂, and rows likewise.
  private func hadamard(_ first: LowRank, _ second: LowRank) throws(Fault) -> LowRank {
    let (rows, columns) = (first.up.rows, first.down.columns)
    guard rows == second.up.rows, columns == second.down.columns else { throw misfit() }
    let (rank, overflow) = first.rank.multipliedReportingOverflow(by: second.rank)
    guard !overflow, rank <= min(rows, columns) else {
      // Then the change itself is the smaller form.
      var whole = try algebra.product(first.up, first.down)
      let other = try algebra.product(second.up, second.down)
      for index in whole.values.indices { whole.values[index] *= other.values[index] }
      return .whole(whole)
    }
    var up = Matrix<Float>(rows: rows, columns: rank)
    for row in 0..<rows {
      for p in 0..<first.rank {
        for q in 0..<second.rank {
          up[row, p * second.rank + q] = first.up[row, p] * second.up[row, q]
        }
      }
    }
    var down = Matrix<Float>(rows: rank, columns: columns)
    for p in 0..<first.rank {
      for q in 0..<second.rank {
        for column in 0..<columns {
          down[p * second.rank + q, column] = first.down[p, column] * second.down[q, column]
        }
      }
    }
    return LowRank(up: up, down: down)
  }

  /// (A₁B₁) ⊗ (A₂B₂) = (A₁ ⊗ A₂)(B₁ ⊗ B₂).
  private func kronecker(_ left: LowRank, _ right: LowRank) throws(Fault) -> LowRank {
    // A kernel on the left would have to be moved behind the inputs of the right.
    if case .kronecker(let factor, _) = module.adapter {
      let kernel = factor.factors.map { $0.shape.dropFirst(2).reduce(1, &*) }.max() ?? 1
      guard kernel == 1 else {
        throw Fault(
          .loraNotLowRank, "has a kernel in the left factor of a LoKr",
          tensor: TensorName(module.name),
          expected: "a kernel in the right factor only")
      }
    }
    return LowRank(
      up: try kronecker(left.up, right.up), down: try kronecker(left.down, right.down))
  }

  private func kronecker(_ a: Matrix<Float>, _ b: Matrix<Float>) throws(Fault) -> Matrix<Float> {
    let (rows, tall) = a.rows.multipliedReportingOverflow(by: b.rows)
    let (columns, wide) = a.columns.multipliedReportingOverflow(by: b.columns)
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    guard !tall, !wide, !overflow, count <= WeightBounds.count else {
      throw Fault(
        .loraEditTooLarge, "makes too large a weight", path: file.path,
        tensor: TensorName(module.name),
        expected: "at most \(WeightBounds.count) values")
    }
    var result = Matrix<Float>(rows: rows, columns: columns)
    for i in 0..<a.rows {
      for j in 0..<a.columns {
        let factor = a[i, j]
        guard factor != 0 else { continue }
        for k in 0..<b.rows {
          for l in 0..<b.columns {
            result[i * b.rows + k, j * b.columns + l] = factor * b[k, l]
          }
        }
      }
    }
    return result
  }
}
