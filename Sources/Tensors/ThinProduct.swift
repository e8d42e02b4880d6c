import CKernels

/// A matrix of few rows, laid out so that products with it are fast: the lower factor of a LoRA.
///
///     let down = ThinMatrix(rank: 32, columns: 1280, values)
///     down.addProduct(of: up, rows: 100, into: &change)   // change += up · down
package struct ThinMatrix: Sendable {
  /// The number of rows.
  package let rank: Int
  /// The number of columns.
  package let columns: Int
  private let panels: [Float]

  /// A matrix from its values, row after row; `rank * columns` of them.
  package init(rank: Int, columns: Int, _ values: [Float]) {
    precondition(values.count == rank * columns, "a matrix with another number of values")
    self.rank = rank
    self.columns = columns
    let width = Int(CK_PANEL)
    let count = (columns + width - 1) / width
    var panels = [Float](repeating: 0, count: count * width * rank)
    for panel in 0..<count {
      let start = panel * width, end = min(columns, start + width)
      for row in 0..<rank {
        let target = (panel * rank + row) * width
        for column in start..<end {
          panels[target + column - start] = values[row * columns + column]
        }
      }
    }
    self.panels = panels
  }

  /// Adds `left · self` to `output`, whose rows are ``columns`` long.
  ///
  /// - Parameters:
  ///   - left: rows of ``rank`` values.
  ///   - output: as many rows.
  ///   - path: the instruction set to use; only tests choose one.
  package func addProduct(
    of left: Span<Float>, into output: inout MutableSpan<Float>, path: KernelPath = .best
  ) {
    guard rank > 0, columns > 0 else { return }
    let rows = left.count / rank
    precondition(
      left.count == rows * rank && output.count == rows * columns, "matrices that do not fit")
    unsafe left.withUnsafeBufferPointer { left in
      unsafe panels.withUnsafeBufferPointer { panels in
        unsafe output.withUnsafeMutableBufferPointer { output in
          unsafe ck_add_product(
            path.code, left.baseAddress, panels.baseAddress, output.baseAddress, rows, rank,
            columns, columns)
        }
      }
    }
  }
}

/// What changes do to values, in sums.
package struct ChangeEffect: Hashable, Sendable {
  /// The sum of the squares of the values before.
  package var baseSquares = 0.0
  /// The sum of the squares of the changes.
  package var changeSquares = 0.0
  /// The sum of the magnitudes of the changes.
  package var changeSum = 0.0
  /// The same of those changes after which the stored value is another.
  package var keptSum = 0.0
  /// How many stored values are others afterwards.
  package var movedCount = 0

  /// Nothing yet.
  package init() {}

  /// Adds values as they were, their changes, and what was stored.
  package mutating func add(
    _ base: Span<Float>, _ change: Span<Float>, _ result: Span<Float>, path: KernelPath = .best
  ) {
    precondition(base.count == change.count && base.count == result.count, "different counts")
    var effect = ck_effect()
    unsafe base.withUnsafeBufferPointer { base in
      unsafe change.withUnsafeBufferPointer { change in
        unsafe result.withUnsafeBufferPointer { result in
          unsafe ck_examine_effect(
            path.code, base.baseAddress, change.baseAddress, result.baseAddress, base.count,
            &effect)
        }
      }
    }
    baseSquares += effect.base_squares
    changeSquares += effect.change_squares
    changeSum += effect.change_sum
    keptSum += effect.kept_sum
    movedCount += Int(effect.moved)
  }

  /// Adds another sum.
  package mutating func add(_ other: ChangeEffect) {
    baseSquares += other.baseSquares
    changeSquares += other.changeSquares
    changeSum += other.changeSum
    keptSum += other.keptSum
    movedCount += other.movedCount
  }
}
