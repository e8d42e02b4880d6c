/// `A`: one model as it is.
///
/// For recipes that only store a model in another type, leave tensors out or give it another VAE,
/// and for steps that stand for such a file.
///
/// Origin: "No interpolation" of AUTOMATIC1111.
///
/// Parameters: none.
struct Copy: MergeMethod {
  let name = "copy"
  let formula = "A"
  let inputs = MergeInputs.one
  let parameters: [MergeParameter] = []
  let reach = MergeReach.elements

  func passthrough(_ settings: MergeSettings) -> Int? { 0 }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    let a = operands[0]
    precondition(a.count == output.count)
    for i in output.indices { output[i] = a[i] }
  }
}
