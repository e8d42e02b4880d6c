import StableDiffusion
import Tensors

// What weight the factors of a module make, and whether they can be multiplied at all.
extension ModuleAssembly {
  /// The shape of the weight, as original checkpoints have it; `nil` where the factors leave it
  /// open.
  func weightShape(_ adapter: Adapter) throws(Fault) -> [Int]? {
    switch adapter {
    case .lowRank(let up, let down, nil):
      try checkInner(up, down, "lora_up", "lora_down")
      return try shape(up.rows, down.columns, kernel: down.shape.count == 4 ? down : nil)
    case .lowRank(let up, let down, let mid?):
      try checkCore(mid, up.columns, down.rows)
      return try shape(up.rows, down.columns, core: mid)
    case .hadamard(let first, let second):
      let shapes = try (hadamard(first, "w1"), hadamard(second, "w2"))
      guard shapes.0 == shapes.1 else {
        throw fault(
          "multiplies matrices of two shapes", expected: "\(shapes.0)", found: "\(shapes.1)")
      }
      return shapes.0
    case .kronecker(let left, let right):
      if case .tucker = left { throw fault("has a Tucker core on its left side") }
      if case .whole(let whole) = left, whole.shape.dropFirst(2).contains(where: { $0 != 1 }) {
        throw fault("has a kernel on its left side", found: "\(whole.shape)")
      }
      let (a, b) = try (kronecker(left, "w1"), kronecker(right, "w2"))
      let (rows, overflow) = a.rows.multipliedReportingOverflow(by: b.rows)
      let (columns, wide) = a.columns.multipliedReportingOverflow(by: b.columns)
      guard !overflow, !wide else { throw fault("makes a weight beyond all bounds") }
      return try shape(rows, columns)
    case .generalized(let a1, let a2, let b1, let b2):
      let input = a1.rows
      guard a2.columns == input else {
        throw fault(
          "has factors that make no square", found: "a1 \(a1.shape), a2 \(a2.shape)")
      }
      try checkRank(max(a1.columns, b1.columns), a1.shape, atMost: Self.largestRank)
      return try shape(b1.rows, b2.columns)
    case .oldGeneralized(let a1, let a2, let b1, let b2):
      guard a1.columns == a2.rows else {
        throw fault(
          "has factors that make no square", found: "a1 \(a1.shape), a2 \(a2.shape)")
      }
      try checkRank(max(a1.rows, b1.rows), a1.shape, atMost: Self.largestRank)
      return try shape(b2.rows, b1.columns)
    case .full(let factor), .norm(let factor), .replacement(let factor):
      return try shape(whole: factor.shape)
    case .scaling, .ratio, .biasOnly, .orthogonal, .inputRotation: return nil
    }
  }

  private func hadamard(_ factor: HadamardFactor, _ name: String) throws(Fault) -> [Int] {
    guard let core = factor.core else {
      try checkInner(factor.a, factor.b, "hada_\(name)_a", "hada_\(name)_b")
      return try shape(factor.a.rows, factor.b.columns)
    }
    try checkCore(core, factor.a.rows, factor.b.rows)
    return try shape(factor.a.columns, factor.b.columns, core: core)
  }

  /// Rows and columns of one side, its kernel among the columns.
  private func kronecker(
    _ factor: KroneckerFactor, _ name: String
  ) throws(Fault) -> (rows: Int, columns: Int) {
    switch factor {
    case .whole(let whole): return (whole.rows, whole.columns)
    case .product(let a, let b):
      try checkInner(a, b, "lokr_\(name)_a", "lokr_\(name)_b")
      return (a.rows, b.columns)
    case .tucker(let core, let a, let b):
      try checkCore(core, a.rows, b.rows)
      let kernel = core.shape.dropFirst(2).reduce(1, &*)
      let (columns, overflow) = b.columns.multipliedReportingOverflow(by: kernel)
      guard !overflow else { throw fault("makes a weight beyond all bounds") }
      return (a.columns, columns)
    }
  }

  private func checkInner(
    _ a: Factor, _ b: Factor, _ aName: String, _ bName: String
  ) throws(Fault) {
    guard a.columns == b.rows, a.columns > 0, a.shape.count > 1, b.shape.count > 1 else {
      throw fault(
        "has factors of two ranks",
        expected: "as many columns of \(aName) as rows of \(bName)",
        found: "\(aName) \(a.shape), \(bName) \(b.shape)")
    }
    try checkRank(a.columns, a.shape, atMost: Self.largestRank)
  }

  /// The most that any rank may be: no useful one is near it, and memory is bounded by it.
  private static let largestRank = 4 * 1280
  /// The same for Tucker cores, which have two ranks and a kernel.
  private static let largestCoreRank = 1280
  /// No weight of Stable Diffusion 1.5 has a side that is longer, nor both sides longer than the
  /// second.
  private static let largestSides = (49_408, 2560)

  private func checkRank(_ rank: Int, _ shape: [Int], atMost limit: Int) throws(Fault) {
    guard rank > limit else { return }
    throw fault("has a rank beyond all use", expected: "at most \(limit)", found: "\(shape)")
  }

  private func checkCore(_ core: Factor, _ first: Int, _ second: Int) throws(Fault) {
    guard core.shape.count >= 2, core.shape[0] == first, core.shape[1] == second else {
      throw fault(
        "has a Tucker core of another rank", expected: "[\(first), \(second), …]",
        found: "\(core.shape)")
    }
    try checkRank(max(first, second), core.shape, atMost: Self.largestCoreRank)
  }

  /// A weight of `rows` outputs whose other axes hold `columns` values in all.
  private func shape(
    _ rows: Int, _ columns: Int, kernel: Factor? = nil
  ) throws(Fault) -> [Int] {
    let expected = target.kernel
    guard !expected.isEmpty else { return try checked([rows, columns]) }
    let area = expected.reduce(1, &*)
    guard columns % area == 0, kernel.map({ Array($0.shape.suffix(2)) == expected }) ?? true else {
      throw Fault(
        .loraShape, "is made for another kernel", tensor: group.stem,
        expected: "\(expected[0])×\(expected[1])",
        found: "\(kernel?.shape ?? [rows, columns])")
    }
    return try checked([rows, columns / area] + expected)
  }

  /// A weight whose kernel is that of a Tucker core.
  private func shape(_ rows: Int, _ columns: Int, core: Factor) throws(Fault) -> [Int] {
    let kernel = Array(core.shape.dropFirst(2))
    guard kernel == target.kernel || kernel.allSatisfy({ $0 == 1 }) && target.kernel.isEmpty else {
      throw Fault(
        .loraShape, "is made for another kernel", tensor: group.stem,
        expected: "\(target.kernel)", found: "\(core.shape)")
    }
    return try checked([rows, columns] + target.kernel)
  }

  /// A weight that is there as it is: a 1×1 kernel may be missing or superfluous.
  private func shape(whole shape: [Int]) throws(Fault) -> [Int] {
    if target.kernel == [1, 1], shape.count == 2 { return try checked(shape + [1, 1]) }
    if target.operation.role == .linear, shape.count == 4, shape.suffix(2) == [1, 1] {
      return try checked(Array(shape.prefix(2)))
    }
    return try checked(shape)
  }

  private func checked(_ shape: [Int]) throws(Fault) -> [Int] {
    guard (try? TensorInfo(name: group.stem, dtype: .f64, shape: shape)) != nil else {
      throw fault("makes a weight beyond all bounds", found: "\(shape)")
    }
    let sides = shape.prefix(2)
    guard sides.allSatisfy({ $0 <= Self.largestSides.0 }),
      (sides.min() ?? 0) <= Self.largestSides.1
    else {
      throw Fault(
        .loraShape, "makes a weight larger than any of Stable Diffusion 1.5", tensor: group.stem,
        found: "\(shape)", hint: "it was made for another kind of model")
    }
    return shape
  }
}
