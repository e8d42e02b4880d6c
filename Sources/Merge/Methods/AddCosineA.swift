/// `(1 − k)A + kB` with `k = 1 − clip(cos(A, B) − α, 0, 1)`: more of B where it differs.
///
/// The cosine is that of each column: the values with the same place on every axis but the first.
///
/// Origin: `add_cosine_a` of sd-mecha. ``CosineA`` is another tool's method.
///
/// Parameters: α.
struct AddCosineA: MergeMethod {
  let name = "add-cosine-a"
  let formula = "(1 − k)A + kB with k = 1 − clip(cos(A, B) − α, 0, 1)"
  let inputs = MergeInputs.two
  let parameters: [MergeParameter] = [.alpha(1)]
  let reach = MergeReach.tensor

  func scratchBytesPerElement(inputs count: Int) -> Int { 40 }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    ColumnCosines.mix(operands, tensor, normalizes: true, into: &output) { column, _ in
      1 - min(1, max(0, column - settings.alpha))
    }
  }
}
