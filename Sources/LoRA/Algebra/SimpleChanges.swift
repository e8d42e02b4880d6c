import Tensors

/// A difference that the file holds as it is, read when it is wanted.
struct DifferenceChange: WeightChange {
  let source: any TensorSource
  let tensor: Int
  let columns: Int
  let strength: Double

  func add(
    _ rows: Range<Int>, of weight: Span<Float>, to change: inout MutableSpan<Float>
  ) throws(Fault) {
    let values = try source.singles(
      of: tensor, rows.lowerBound * columns..<rows.upperBound * columns)
    for index in 0..<change.count {
      change[index] += Float(Double(values[index]) * strength)
    }
  }
}

/// Another weight in the place of the one that is there, whatever the strength.
struct ReplacementChange: WeightChange {
  let source: any TensorSource
  let tensor: Int
  let columns: Int

  func add(
    _ rows: Range<Int>, of weight: Span<Float>, to change: inout MutableSpan<Float>
  ) throws(Fault) {
    let values = try source.singles(
      of: tensor, rows.lowerBound * columns..<rows.upperBound * columns)
    for index in 0..<change.count { change[index] += values[index] - weight[index] }
  }
}

/// IA3: rows or columns times `1 + factor`, with the strength in the factors.
struct ScalingChange: WeightChange {
  let factors: [Float]
  let onInput: Bool
  let columns: Int
  /// The values of one input: the kernel.
  let kernel: Int

  func add(
    _ rows: Range<Int>, of weight: Span<Float>, to change: inout MutableSpan<Float>
  ) throws(Fault) {
    for (position, row) in rows.enumerated() {
      for column in 0..<columns {
        let index = position * columns + column
        change[index] += weight[index] * factors[onInput ? column / kernel : row]
      }
    }
  }
}

/// Single values of a matrix: LyCORIS' sparse bias, with the strength in the values.
struct SparseChange: WeightChange {
  /// By row, then in the order of the file.
  let entries: [(row: Int, column: Int, value: Float)]
  let columns: Int

  /// The values that `sparse` lists, in the order of ``entries``.
  ///
  /// - Throws: ``Rule/loraFactors`` if one lies outside of a weight of that form, and what reading
  ///   throws.
  static func entries(
    of sparse: SparseDifference, in file: LoRAFile, _ form: WeightForm
  ) throws(Fault) -> [(row: Int, column: Int, value: Float)] {
    let indices = try file.source.doubles(of: sparse.indices.tensor)
    let values = try file.values(of: sparse.values)
    var entries: [(row: Int, column: Int, value: Float)] = []
    for (position, value) in values.enumerated() {
      guard let row = Int(exactly: indices[position]),
        let column = Int(exactly: indices[values.count + position]),
        (0..<form.rows).contains(row), (0..<form.columns).contains(column)
      else {
        throw Fault(
          .loraFactors, "has a sparse value outside of the weight", path: file.path,
          tensor: file.source.tensors[sparse.indices.tensor].name,
          expected: "rows below \(form.rows), columns below \(form.columns)",
          found: "row \(indices[position]), column \(indices[values.count + position])")
      }
      entries.append((row, column, value))
    }
    return entries.enumerated().sorted {
      ($0.element.row, $0.offset) < ($1.element.row, $1.offset)
    }
    .map(\.element)
  }

  func add(
    _ rows: Range<Int>, of weight: Span<Float>, to change: inout MutableSpan<Float>
  ) throws(Fault) {
    // Binary search for the first entry of the rows.
    var low = 0, high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].row < rows.lowerBound { low = middle + 1 } else { high = middle }
    }
    while low < entries.count, entries[low].row < rows.upperBound {
      let entry = entries[low]
      change[(entry.row - rows.lowerBound) * columns + entry.column] += entry.value
      low += 1
    }
  }
}

/// GLoRA's part that depends on the weight: `ΔW = W · first · second`, with the strength in
/// `second`.
struct MultipliedChange: WeightChange {
  /// `[in, r]`.
  let first: ThinMatrix
  /// `[r, in]`.
  let second: ThinMatrix
  /// The values of one input: the kernel.
  let kernel: Int

  func add(
    _ rows: Range<Int>, of weight: Span<Float>, to change: inout MutableSpan<Float>
  ) throws(Fault) {
    let inputs = first.rank
    let count = rows.count * kernel
    // Each position of the kernel is a row of its own.
    var gathered = [Float](repeating: 0, count: count * inputs)
    for row in 0..<rows.count {
      for input in 0..<inputs {
        for position in 0..<kernel {
          gathered[(row * kernel + position) * inputs + input] =
            weight[(row * inputs + input) * kernel + position]
        }
      }
    }
    var thin = [Float](repeating: 0, count: count * first.columns)
    var thinSpan = thin.mutableSpan
    first.addProduct(of: gathered.span, into: &thinSpan)
    var product = [Float](repeating: 0, count: count * inputs)
    var productSpan = product.mutableSpan
    second.addProduct(of: thin.span, into: &productSpan)
    for row in 0..<rows.count {
      for input in 0..<inputs {
        for position in 0..<kernel {
          change[(row * inputs + input) * kernel + position] +=
            product[(row * kernel + position) * inputs + input]
        }
      }
    }
  }
}
