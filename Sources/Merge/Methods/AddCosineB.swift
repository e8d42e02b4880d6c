/// `(1 − k)A + kB` with `k = 1 − clip((cos(A, B) + m)/2 − α, 0, 1)`.
///
/// The cosine is that of each column: the values with the same place on every axis but the first;
/// m is that of the whole tensors, 0 if one of them is zero.
///
/// Origin: `add_cosine_b` of sd-mecha. ``CosineB`` is another tool's method.
///
/// Parameters: α.
struct AddCosineB: MergeMethod {
  let name = "add-cosine-b"
  let formula = "(1 − k)A + kB with k = 1 − clip((cos(A, B) + m)/2 − α, 0, 1)"
  let inputs = MergeInputs.two
  let parameters: [MergeParameter] = [.alpha(1)]
  let reach = MergeReach.tensor

  func scratchBytesPerElement(inputs count: Int) -> Int { 40 }

  func merge(
    _ operands: Operands, tensor: MergedTensor, settings: MergeSettings,
    into output: inout MutableSpan<Float>
  ) {
    ColumnCosines.mix(operands, tensor, normalizes: false, into: &output) { column, whole in
      1 - min(1, max(0, (column + whole) / 2 - settings.alpha))
    }
  }
}
