import LinearAlgebra
import Tensors

/// Makes rotations of what a file holds, in double precision.
struct OrthogonalPreparation {
  let file: LoRAFile
  let adapter: OrthogonalAdapter
  let form: WeightForm

  private var size: Int { adapter.blocks.shape.last ?? 1 }

  /// What the adapter does to the weight at `strength`.
  func change(_ strength: Double) throws(Fault) -> any WeightChange {
    let rescale = try adapter.rescale.map { factor throws(Fault) in
      try file.source.doubles(of: factor.tensor)
    }
    var blocks = try rotations().map { blended($0, strength) }
    if adapter.form == .butterfly {
      let count = adapter.blocks.shape[1]
      let stages = stride(from: 0, to: blocks.count, by: count).map { first in
        blocks[first..<first + count].map { $0.map { Float($0) } }
      }
      return ButterflyChange(
        stages: stages, size: size, rescale: rescale?.map { Float($0) }, rows: form.rows,
        columns: form.columns)
    }
    for block in blocks.indices {
      blocks[block] = difference(blocks[block], rescale, first: block * size)
    }
    return RotationChange(
      blocks: blocks.map { $0.map { Float($0) } }, size: size, columns: form.columns)
  }

  /// `m · R + (1 − m) · I`.
  private func blended(_ rotation: [Double], _ strength: Double) -> [Double] {
    var result = rotation.map { $0 * strength }
    for index in 0..<size { result[index * size + index] += 1 - strength }
    return result
  }

  /// The rows of a block after the rotation, without what they are: `s · Mᵀ − I`.
  private func difference(_ m: [Double], _ rescale: [Double]?, first: Int) -> [Double] {
    var result = [Double](repeating: 0, count: m.count)
    for row in 0..<size {
      let factor = rescale.map { $0[first + row] } ?? 1
      for column in 0..<size { result[row * size + column] = m[column * size + row] * factor }
      result[row * size + row] -= 1
    }
    return result
  }

  /// `R` of every block.
  private func rotations() throws(Fault) -> [[Double]] {
    let values = try file.source.doubles(of: adapter.blocks.tensor)
    let area = size * size
    var blocks = stride(from: 0, to: values.count, by: area).map { Array(values[$0..<$0 + area]) }
    guard adapter.form != .rotation else { return blocks }
    var squares = 0.0
    for block in blocks.indices {
      let b = blocks[block]
      for row in 0..<size {
        for column in 0..<size {
          let q = b[row * size + column] - b[column * size + row]
          blocks[block][row * size + column] = q
          squares += q * q
        }
      }
    }
    let factor = bound(squares.squareRoot())
    let algebra = try LinearAlgebra.load()
    for block in blocks.indices {
      var minus = Matrix<Double>(rows: size, columns: size)
      var plus = minus
      for index in 0..<area {
        minus.values[index] = -factor * blocks[block][index]
        plus.values[index] = factor * blocks[block][index]
      }
      for index in 0..<size {
        minus[index, index] += 1
        plus[index, index] += 1
      }
      // (I + Q)(I − Q)⁻¹, whose factors commute.
      do throws(Fault) { blocks[block] = try algebra.solve(minus, plus).values } catch {
        throw error.at(file.path)
      }
    }
    return blocks
  }

  /// What Q is multiplied by so that its norm stays within α times the number of outputs.
  private func bound(_ norm: Double) -> Double {
    let limit = adapter.constraint * Double(form.rows)
    if adapter.form == .kohyaSkew {
      return (min(norm, limit) + 1e-8) / (norm + 1e-8)
    }
    guard limit > 0, norm + 1e-8 > limit else { return 1 }
    return limit / (norm + 1e-8)
  }
}
