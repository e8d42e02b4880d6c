public import LoRA

/// A module together with the shape of its weight.
public struct OutputTarget: Hashable, Sendable {
  /// The module.
  public let target: LoRATarget
  /// `[out, in]` or `[out, in, kh, kw]`.
  public let weightShape: [Int]

  /// Whether the kernel is larger than 1×1.
  var hasKernel: Bool { weightShape.dropFirst(2).contains { $0 > 1 } }
  /// The rows and columns of the weight as a matrix.
  var extents: (rows: Int, columns: Int) {
    (weightShape.first ?? 1, weightShape.dropFirst().reduce(1, &*))
  }
}
