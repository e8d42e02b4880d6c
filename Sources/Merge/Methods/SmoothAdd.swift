/// `A + α·gauss(median(B − C))`: adds the difference without its outliers, smoothed.
///
/// The median is that of the values at a distance of at most 1 along every axis, the Gaussian has
/// the width 1; at the edges the values are mirrored. Axes of extent 1 do not count, and at most
/// the last four others do. Slow for convolutions, where 81 values go into every median.
///
/// Origin: "smoothAdd" of SuperMerger, with the filters of SciPy's `ndimage`.
///
/// Parameters: α.
struct SmoothAdd: MergeMethod {
  let name = "smooth-add"
  let formula = "A + α·gauss(median(B − C))"
  let inputs = MergeInputs.twoAndBase
  let parameters: [MergeParameter] = [.alpha(1)]
  let reach = MergeReach.tensor

  func passthrough(_ settings: MergeSettings) -> Int? { settings.alpha == 0 ? 0 : nil }

  func scratchBytesPerElement(inputs count: Int) -> Int { 12 }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let (a, b, c) = (operands[0], operands[1], operands[2])
    precondition(a.count == output.count && b.count == output.count && c.count == output.count)
    var difference = [Float](repeating: 0, count: output.count)
    for i in output.indices { difference[i] = b[i] - c[i] }
    let filter = Smoothing(shape: tensor.shape, count: output.count)
    difference = filter.median(difference)
    difference = filter.gaussian(difference)
    for i in output.indices {
      output[i] = Float(Double(a[i]) + settings.alpha * Double(difference[i]))
    }
  }
}
