/// What a tensor of a file is for.
public enum TensorUse: Hashable, Sendable {
  /// It is the parameter at this position of the schema.
  case parameter(Int)
  /// It is the moving average of the parameter at this position.
  case average(of: Int)
  /// It is no parameter, but its purpose is known.
  case extra(KnownExtra)
  /// It is spelled like the parameter at this position, which another tensor is already.
  case repeated(Int)
  /// It belongs to nothing known.
  case unexpected
  /// It belongs to a model whose structure is not mapped.
  case unmapped
}
