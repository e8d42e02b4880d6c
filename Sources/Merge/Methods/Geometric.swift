/// `Re(A^(1 − α)·B^α)`: the geometric mean, negative values taken as complex numbers.
///
/// A negative value has the angle π; so of values of unlike sign `cos(πα)` or `cos(π(1 − α))` of
/// the mean of their sizes remains. As in C, anything to the power 0 is 1, zero too.
///
/// Origin: `geometric_sum` of sd-mecha. ``GeometricReal`` is another tool's method of that name.
///
/// Parameters: α from 0 to 1.
struct Geometric: MergeMethod {
  let name = "geometric"
  let formula = "Re(A^(1 − α)·B^α)"
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
    // cos(πt) = sin(π(½ − t)).
    let negativeA = Elementary.sine(.pi * (alpha - 0.5))
    let negativeB = Elementary.sine(.pi * (0.5 - alpha))
    for i in output.indices {
      let (x, y) = (Double(a[i]), Double(b[i]))
      let size = Elementary.power(x.magnitude, 1 - alpha) * Elementary.power(y.magnitude, alpha)
      let factor =
        switch (x < 0, y < 0) {
        case (false, false): 1.0
        case (true, false): negativeA
        case (false, true): negativeB
        case (true, true): -1.0
        }
      output[i] = Float(size * factor)
    }
  }
}
