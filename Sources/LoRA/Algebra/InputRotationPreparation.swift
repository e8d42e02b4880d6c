import LinearAlgebra
import Tensors

/// Makes rotations of inputs of what a file holds, in double precision.
struct InputRotationPreparation {
  let file: LoRAFile
  let rotation: InputRotation
  let form: WeightForm

  /// What the adapter does to the weight at `strength`: every rotation is blended with the identity,
  /// and every factor of an output with 1.
  func change(_ strength: Double) throws(Fault) -> InputRotationChange {
    let size = rotation.size
    let algebra = try LinearAlgebra.load()
    var blocks: [ThinMatrix] = []
    for q in try skewMatrices() {
      let r: Matrix<Double>
      do throws(Fault) { r = try orthogonal(q, algebra) } catch { throw error.at(file.path) }
      var values = [Float](repeating: 0, count: size * size)
      for row in 0..<size {
        for column in 0..<size {
          let identity = row == column ? 1.0 : 0
          values[column * size + row] = Float(strength * (r[row, column] - identity))
        }
      }
      blocks.append(ThinMatrix(rank: size, columns: size, values))
    }
    let count = blocks.count / rotation.stageCount
    let stages = (0..<rotation.stageCount).map { stage in
      InputRotationChange.Stage(
        blocks: Array(blocks[stage * count..<(stage + 1) * count]), order: order(stage))
    }
    let rescale = try rotation.rescale.map { factor throws(Fault) in
      try file.source.doubles(of: factor.tensor).map { 1 + strength * ($0 - 1) }
    }
    return InputRotationChange(
      stages: stages, size: size, columns: form.columns, rescale: rescale)
  }

  /// `Q` of every block, stage after stage.
  private func skewMatrices() throws(Fault) -> [Matrix<Double>] {
    let size = rotation.size
    let values = try file.source.doubles(of: rotation.blocks.tensor)
    let isPacked = rotation.form != .butterflies
    let step = isPacked ? size * (size - 1) / 2 : size * size
    let bound = rotation.bound.map { $0 / Double(max(1, rotation.blocks.rows)).squareRoot() }
    return stride(from: 0, to: values.count, by: max(1, step)).map { start in
      var q = Matrix<Double>(rows: size, columns: size)
      var position = start
      for row in 0..<size {
        for column in row + 1..<max(row + 1, size) {
          let value =
            isPacked
            ? values[position]
            : 0.5
              * (values[start + row * size + column] - values[start + column * size + row])
          q[row, column] = value
          q[column, row] = -value
          position += 1
        }
      }
      let norm = q.values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if let bound, norm > bound {
        for index in q.values.indices { q.values[index] *= bound / norm }
      }
      return q
    }
  }

  private func orthogonal(
    _ q: Matrix<Double>, _ algebra: LinearAlgebra
  ) throws(Fault) -> Matrix<Double> {
    var identity = Matrix<Double>(rows: q.rows, columns: q.rows)
    for index in 0..<q.rows { identity[index, index] = 1 }
    func plus(_ a: Matrix<Double>, _ factor: Double, _ b: Matrix<Double>) -> Matrix<Double> {
      var sum = a
      for index in sum.values.indices { sum.values[index] += factor * b.values[index] }
      return sum
    }
    guard case .triangles(.series(let terms)) = rotation.form else {
      // (I − Q)(I + Q)⁻¹, whose factors commute.
      return try algebra.solve(plus(identity, 1, q), plus(identity, -1, q))
    }
    guard terms > 1 else { return identity }
    var r = plus(identity, 2, q)
    guard terms > 2 else { return r }
    var power = try algebra.product(q, q)
    r = plus(r, 2, power)
    for _ in 3..<max(3, terms - 1) {
      power = try algebra.product(power, q)
      r = plus(r, 2, power)
    }
    return plus(r, 1, try algebra.product(power, q))
  }

  /// The columns in the order in which the butterflies of a stage turn them: in runs of `size · 2ˢ`
  /// columns, of half blocks every other comes first.
  private func order(_ stage: Int) -> [Int] {
    let half = rotation.size / 2
    guard stage > 0, half > 0 else { return Array(0..<form.columns) }
    let run = rotation.size << stage
    let count = run / half
    var order = [Int](repeating: 0, count: form.columns)
    for column in 0..<form.columns {
      let chunk = column % run / half
      // The column's place among the sorted: the even halves, then the odd ones.
      let source = chunk < count / 2 ? 2 * chunk : 2 * (chunk - count / 2) + 1
      let place = column / run * run + source * half + column % half
      order[place] = column
    }
    return order
  }
}
