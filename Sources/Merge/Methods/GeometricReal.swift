/// `A^(1 − α)·B^α`: the geometric mean of positive values; of a negative value it is NaN.
///
/// Kept for comparison with its origin: unless α is 0 or 1, most values of a model come out as
/// NaN, which a merge reports as an error. ``Geometric`` is defined everywhere.
///
/// Origin: "Geometric Sum" of Chattiori's Model Merger.
///
/// Parameters: α from 0 to 1.
struct GeometricReal: MergeMethod {
  let name = "geometric-real"
  let formula = "A^(1 − α)·B^α"
  let inputs = MergeInputs.two
  let parameters: [MergeParameter] = [.alpha(0.5, in: 0...1)]
  let reach = MergeReach.elements

  func passthrough(_ settings: MergeSettings) -> Int? { WeightedSum().passthrough(settings) }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let (a, b) = (operands[0], operands[1])
    precondition(a.count == output.count && b.count == output.count)
    let alpha = settings.alpha
    for i in output.indices {
      output[i] = Float(Self.power(Double(a[i]), 1 - alpha) * Self.power(Double(b[i]), alpha))
    }
  }

  private static func power(_ x: Double, _ y: Double) -> Double {
    if y == 0 { return 1 }
    if y == 1 { return x }
    return x < 0 ? .nan : Elementary.power(x, y)
  }
}
