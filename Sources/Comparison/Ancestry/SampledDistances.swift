import StableDiffusion
import Tensors

/// The distances between any two of many models, from a sample of each tensor.
///
/// Of each tensor the same consecutive values from its middle are read of all models at once, so
/// that memory depends on the number of models only.
struct SampledDistances: Sendable {
  /// Sums over the values of one place that two models have in common.
  struct Sums: Sendable {
    /// The sum of the squares of both models' values.
    var squares = 0.0
    /// The sum of the squares of their differences.
    var difference = 0.0
  }

  /// The number of models.
  let count: Int
  /// How many values of each tensor were read, at most.
  let valuesPerTensor: Int
  /// The bytes that were read.
  private(set) var byteCount = 0
  /// The number of tensors that were sampled.
  let tensorCount: Int
  /// By pair, then by place; what is no part of the network stands at the end.
  private var sums: [[Sums]]

  /// The fields of ``sums``: one for each place, and one for all else.
  private static let fieldCount = Place.allCases.count + 1

  /// The values that are read of each tensor: fewer where there are more pairs.
  static func valuesPerTensor(models: Int) -> Int {
    switch models {
    case ...4: 1 << 16
    case ...16: 1 << 14
    case ...64: 1 << 12
    default: 1 << 10
    }
  }

  /// Reads samples of `models`.
  init(
    _ models: [NamedModel], width: Int, progress: @Sendable (Int) -> Void
  ) throws(Fault) {
    count = models.count
    let limit = Self.valuesPerTensor(models: models.count)
    valuesPerTensor = limit
    let pairCount = models.count * (models.count - 1) / 2
    sums = Array(repeating: Array(repeating: Sums(), count: Self.fieldCount), count: pairCount)
    let correspondences = Correspondence.all(of: models).filter { correspondence in
      !correspondence.isOptional && correspondence.tensors.count { $0 != nil } > 1
    }
    tensorCount = correspondences.count
    // Results of some tensors at a time: a sum for every tensor and pair would take too much.
    let step = max(8, min(correspondences.count, (1 << 20) / max(1, pairCount)))
    for start in stride(from: 0, to: correspondences.count, by: step) {
      let part = correspondences[start..<min(start + step, correspondences.count)]
      let found = Results(repeating: [Sums?](), count: part.count)
      let bytes = Results(repeating: 0, count: part.count)
      try forEachIndex(
        below: part.count, width: width, local: { models.map { _ in Buffer(byteCount: limit * 8) } }
      ) { (index, buffers: inout [Buffer]) throws(Fault) in
        let sample = try Sample(part[part.startIndex + index], models, limit, buffers)
        found[index] = sample.sums
        bytes[index] = sample.byteCount
        progress(sample.byteCount)
      }
      for (index, (correspondence, tensor)) in zip(part, found.values).enumerated() {
        byteCount += bytes[index]
        let field =
          correspondence.parameter.map { Int($0.place.rawValue) } ?? Place.allCases.count
        for (pair, next) in tensor.enumerated() {
          guard let next else { continue }
          sums[pair][field].squares += next.squares
          sums[pair][field].difference += next.difference
        }
      }
    }
    for model in models { try model.source.checkUnchanged() }
  }

  /// The position of a pair in ``sums``; `a` and `b` differ.
  private func index(_ a: Int, _ b: Int) -> Int {
    let (low, high) = (min(a, b), max(a, b))
    return high * (high - 1) / 2 + low
  }

  /// The sum of the squared differences of two models at each place.
  func squaredDifferences(_ a: Int, _ b: Int) -> [Double] {
    a == b
      ? Array(repeating: 0, count: Self.fieldCount) : sums[index(a, b)].map(\.difference)
  }

  /// The distance of two models, relative to the root mean square of both.
  ///
  /// - Returns: `nil` if they have nothing in common.
  func distance(_ a: Int, _ b: Int) -> Double? { relative(a, b) { _ in true } }

  /// The distance of two models at some places.
  func distance(_ a: Int, _ b: Int, at places: Set<Place>) -> Double? {
    relative(a, b) { field in
      Place(rawValue: UInt8(field)).map { places.contains($0) } ?? false
    }
  }

  private func relative(_ a: Int, _ b: Int, _ isWanted: (Int) -> Bool) -> Double? {
    guard a != b else { return 0 }
    var total = Sums()
    for (field, sum) in sums[index(a, b)].enumerated() where isWanted(field) {
      total.squares += sum.squares
      total.difference += sum.difference
    }
    guard total.squares > 0, total.squares.isFinite, total.difference.isFinite else { return nil }
    return (2 * total.difference / total.squares).squareRoot()
  }
}

/// The sums of one tensor.
private struct Sample {
  /// By pair; `nil` where a model lacks the tensor or has another shape.
  var sums: [SampledDistances.Sums?] = []
  var byteCount = 0

  init(
    _ correspondence: Correspondence, _ models: [NamedModel], _ limit: Int, _ buffers: [Buffer]
  ) throws(Fault) {
    func info(_ model: Int) -> TensorInfo? {
      correspondence.tensors[model].map { models[model].source.tensors[$0] }
    }
    guard let first = models.indices.first(where: { info($0) != nil }), let reference = info(first)
    else { return }
    let count = min(limit, reference.elementCount)
    let start = (reference.elementCount - count) / 2
    var isRead = [Bool](repeating: false, count: models.count)
    for model in models.indices {
      guard let info = info(model), correspondence.isComparable(reference, info),
        let size = info.dtype.byteCount, info.dtype.isComparable(with: info.dtype),
        let tensor = correspondence.tensors[model]
      else { continue }
      let buffer = buffers[model]
      var bytes = buffer.bytes(count * size)
      try models[model].source.read(tensor, at: start * size, into: &bytes)
      byteCount += count * size
      isRead[model] = true
    }
    for high in models.indices {
      for low in 0..<high {
        guard isRead[low], isRead[high], let a = info(low), let b = info(high),
          let sizeA = a.dtype.byteCount, let sizeB = b.dtype.byteCount
        else {
          sums.append(nil)
          continue
        }
        let (bufferA, bufferB) = (buffers[low], buffers[high])
        let bytesA = bufferA.bytes(count * sizeA)
        let bytesB = bufferB.bytes(count * sizeB)
        let found = ValueComparison(bytesA.bytes, a.dtype, bytesB.bytes, b.dtype)
        sums.append(
          found.map {
            SampledDistances.Sums(
              squares: $0.squares.a + $0.squares.b, difference: $0.squares.difference)
          })
      }
    }
  }
}
