import Tensors

extension ModelIdentity {
  /// The shape of tensor `index` as single-file checkpoints have it, where the model has `shape`: a
  /// 1×1 convolution for a matrix, or the other way round.
  package func originalShape(of index: Int, stored shape: [Int]) -> [Int] {
    guard case .parameter(let position) = uses[index] else { return shape }
    let expected = schema.parameters[position].shape
    if expected.count == 4, shape.count == 2, expected.suffix(2) == [1, 1] {
      return shape + [1, 1]
    }
    if expected.count == 2, shape.count == 4, shape.suffix(2) == [1, 1] {
      return Array(shape.prefix(2))
    }
    return shape
  }
}
