import Tensors

/// OFT: a matrix for each block of rows, with the strength in it; `ΔW = D · W` block by block.
struct RotationChange: WeightChange {
  /// `D` of each block, row after row: the rotation without the identity, rescaled.
  let blocks: [[Float]]
  let size: Int
  let columns: Int

  var rowGroup: Int { size }

  func add(
    _ rows: Range<Int>, of weight: Span<Float>, to change: inout MutableSpan<Float>
  ) throws(Fault) {
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: size) {
      let start = (first - rows.lowerBound) * columns
      let range = start..<start + size * columns
      let block = ThinMatrix(rank: size, columns: columns, weight.extracting(range).values)
      var target = change._mutatingExtracting(range)
      let rotation = blocks[first / size]
      block.addProduct(of: rotation.span, into: &target)
    }
  }
}

/// BOFT: rotations of pairs of ever more distant rows, one after another.
struct ButterflyChange: WeightChange {
  /// The matrices of each stage, block by block, row after row; the strength is in them.
  let stages: [[[Float]]]
  let size: Int
  /// What multiplies each row at the end.
  let rescale: [Float]?
  let rows: Int
  let columns: Int

  var rowGroup: Int { rows }

  func add(
    _ range: Range<Int>, of weight: Span<Float>, to change: inout MutableSpan<Float>
  ) throws(Fault) {
    var values = weight.values
    for (stage, blocks) in stages.enumerated() {
      // Rows of two halves of each run are dealt alternately, then blocks are rotated.
      let half = (size / 2) << stage
      let order = (0..<rows).map { position in
        let run = position / (2 * half), inner = position % (2 * half)
        return run * 2 * half + (inner % 2) * half + inner / 2
      }
      var result = [Float](repeating: 0, count: values.count)
      for (block, matrix) in blocks.enumerated() {
        var gathered: [Float] = []
        gathered.reserveCapacity(size * columns)
        for row in order[block * size..<(block + 1) * size] {
          gathered += values[row * columns..<(row + 1) * columns]
        }
        var rotated = [Float](repeating: 0, count: size * columns)
        var span = rotated.mutableSpan
        ThinMatrix(rank: size, columns: columns, gathered).addProduct(
          of: matrix.span, into: &span)
        for (position, row) in order[block * size..<(block + 1) * size].enumerated() {
          for column in 0..<columns {
            result[row * columns + column] = rotated[position * columns + column]
          }
        }
      }
      values = result
    }
    for row in 0..<rows {
      let factor = rescale.map { $0[row] } ?? 1
      for index in row * columns..<(row + 1) * columns {
        change[index] += values[index] * factor - weight[index]
      }
    }
  }
}
