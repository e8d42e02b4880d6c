public import StableDiffusion
import Tensors

extension TensorWeights {
  /// What a parameter of the network gets.
  public func weight(for parameter: Parameter) -> PlaceWeight {
    weight(for: TensorName(parameter.name(in: .ldm)), at: parameter.place)
  }
}

extension PlaceTable {
  /// Counts the parameters of a network by place.
  ///
  ///     print(PlaceTable(try wanted.resolved(in: .mbw), schema: .sd15).text())
  public init(_ weights: TensorWeights, schema: Schema = .sd15) {
    self.init(
      weights,
      tensors: schema.parameters.lazy.map {
        Tensor(TensorName($0.name(in: .ldm)), at: $0.place, elementCount: $0.elementCount)
      })
  }
}
