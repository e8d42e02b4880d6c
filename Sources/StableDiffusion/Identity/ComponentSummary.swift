public import Tensors

/// How often a type occurs among the tensors of a component.
public struct TypeCount: Hashable, Sendable {
  /// The type.
  public let dtype: DType
  /// The number of tensors stored so.
  public let tensorCount: Int
  /// The number of values in them.
  public let elementCount: Int
}

/// What a file has of one component.
public struct ComponentSummary: Hashable, Sendable {
  /// The component.
  public let component: Component
  /// The number of its parameters that the network cannot do without.
  public let expectedCount: Int
  /// The number of its parameters that are there.
  public let presentCount: Int
  /// The positions in the schema of the parameters that are needed and not there.
  public let missing: [Int]
  /// The number of values that are there.
  public let elementCount: Int
  /// The bytes they take.
  public let byteCount: Int
  /// How they are stored, most frequent first.
  public let types: [TypeCount]
  /// The naming of most of its tensors; `nil` where both namings spell them alike.
  public let naming: Naming?

  /// Whether nothing is missing.
  public var isComplete: Bool { missing.isEmpty }

  /// What `tensors` hold of `component`, where `tensor` is the tensor of each parameter.
  init(
    _ component: Component, schema: Schema, tensors: [TensorInfo], of tensor: [Int?],
    naming: Naming?
  ) {
    var missing: [Int] = [], expected = 0, present = 0, elements = 0, bytes = 0
    var types: [DType: (tensors: Int, elements: Int)] = [:]
    for parameter in schema.range(of: component) {
      if !schema.parameters[parameter].isOptional { expected += 1 }
      guard let index = tensor[parameter] else {
        if !schema.parameters[parameter].isOptional { missing.append(parameter) }
        continue
      }
      let info = tensors[index]
      present += 1
      // The sizes of hostile headers may not add up; their sums only have to be harmless.
      elements = elements.addingReportingOverflow(info.elementCount).partialValue
      bytes = bytes.addingReportingOverflow(info.byteCount).partialValue
      types[info.dtype, default: (0, 0)].tensors += 1
      types[info.dtype, default: (0, 0)].elements &+= info.elementCount
    }
    self.component = component
    self.missing = missing
    self.naming = naming
    expectedCount = expected
    presentCount = present
    elementCount = elements
    byteCount = bytes
    self.types =
      types.map {
        TypeCount(dtype: $0.key, tensorCount: $0.value.tensors, elementCount: $0.value.elements)
      }.sorted { a, b in (b.tensorCount, a.dtype) < (a.tensorCount, b.dtype) }
  }
}
