import Tensors

/// Inputs that are turned: `ΔW = s · W · Bᵀ − W`, where `B` is a product of stages.
struct InputRotationChange: WeightChange {
  /// Blocks that are turned at once.
  struct Stage: Sendable {
    /// `Mᵀ − I` of each block; one may stand for all.
    let blocks: [ThinMatrix]
    /// The column that stands at each position while blocks are turned.
    let order: [Int]
  }

  let stages: [Stage]
  let size: Int
  let columns: Int
  /// What multiplies each row at the end.
  let rescale: [Double]?

  func add(
    _ rows: Range<Int>, of weight: Span<Float>, to change: inout MutableSpan<Float>
  ) throws(Fault) {
    let count = rows.count
    // What has changed so far: small beside the weight, and so kept apart from it.
    var delta = [Float](repeating: 0, count: weight.count)
    for stage in stages {
      let before = delta
      for block in 0..<columns / size {
        var gathered = [Float](repeating: 0, count: count * size)
        for row in 0..<count {
          for position in 0..<size {
            let index = row * columns + stage.order[block * size + position]
            gathered[row * size + position] = weight[index] + before[index]
          }
        }
        var turned = [Float](repeating: 0, count: count * size)
        var span = turned.mutableSpan
        stage.blocks[stage.blocks.count == 1 ? 0 : block].addProduct(of: gathered.span, into: &span)
        for row in 0..<count {
          for position in 0..<size {
            delta[row * columns + stage.order[block * size + position]] +=
              turned[row * size + position]
          }
        }
      }
    }
    for (position, row) in rows.enumerated() {
      let factor = rescale?[row] ?? 1
      for index in position * columns..<(position + 1) * columns {
        change[index] += Float(
          factor * Double(delta[index]) + (factor - 1) * Double(weight[index]))
      }
    }
  }
}
