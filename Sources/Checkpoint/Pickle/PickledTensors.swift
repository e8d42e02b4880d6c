import Tensors

// The functions that stand for tensors.
extension PickleMachine {
  mutating func newTensor(_ content: PickledTensor.Content) throws(Fault) -> PickleValue {
    guard graph.tensors.count < Self.maximumDepth else {
      throw fault(.pickleLimit, "has more than \(Self.maximumDepth) tensors")
    }
    graph.tensors.append(PickledTensor(content: content, offset: graph.base + start))
    return .tensor(Int32(truncatingIfNeeded: graph.tensors.count - 1))
  }

  func malformedTensor(_ message: String, found: String? = nil) -> Fault {
    Fault(
      .tensorMalformed, "a tensor " + message, offset: graph.base + start, found: found)
  }

  /// `_rebuild_tensor(storage, offset, shape, strides)`; the second version adds `requires_grad`,
  /// hooks and metadata, the third a type for untyped storages.
  mutating func rebuild(
    _ known: KnownName, _ arguments: ArraySlice<PickleValue>
  ) throws(Fault) -> PickleValue {
    let values = Array(arguments)
    guard values.count >= (known == .tensor ? 4 : known == .tensorV2 ? 6 : 7), values.count <= 8
    else { throw malformedTensor("has the wrong number of properties", found: "\(values.count)") }
    guard case .storage(let view) = values[0] else {
      throw malformedTensor("does not lie on a storage", found: values[0].kind)
    }
    var type = graph.storageViews[Int(view)].type
    if known == .tensorV3 {
      guard case .dtype(let given)? = graph.name(values[6])?.known else {
        throw malformedTensor("has no type", found: graph.name(values[6])?.name ?? values[6].kind)
      }
      type = given
    } else if type == .untyped {
      throw malformedTensor("lies on an untyped storage without giving a type")
    }
    guard let offset = graph.integer(values[1]), offset >= 0 else {
      throw malformedTensor("has an offset that is not a whole number from zero")
    }
    guard let shape = graph.integers(values[2]), shape.allSatisfy({ $0 >= 0 }) else {
      throw malformedTensor("has a shape that is not up to 64 whole numbers from zero")
    }
    guard let strides = graph.integers(values[3]), strides.allSatisfy({ $0 >= 0 }) else {
      throw malformedTensor("has strides that are not up to 64 whole numbers from zero")
    }
    guard shape.count == strides.count else {
      throw malformedTensor("has \(shape.count) axes but \(strides.count) strides")
    }
    return try newTensor(
      .view(
        storageView: Int(view), type: type, offset: offset, shape: shape, strides: strides))
  }

  /// `_rebuild_from_type_v2(function, class, arguments, state)`.
  mutating func rebuildFromType(
    _ arguments: ArraySlice<PickleValue>
  ) throws(Fault) -> PickleValue {
    let values = Array(arguments)
    guard values.count >= 3, case .tuple(let inner) = values[2], inner.count <= 16 else {
      throw malformedTensor("of a Python class has the wrong properties")
    }
    let known = try checkCallable(values[0])
    let rest = graph.items[inner.range]
    switch known {
    case .tensor, .tensorV2, .tensorV3: return try rebuild(known, rest)
    case .fromNumPy: return try rebuildFromNumPy(rest)
    case .parameter:
      if case .tensor? = rest.first { return rest[rest.startIndex] }
      throw malformedTensor("is wrapped as a parameter but is not a tensor")
    default: return try newTensor(.unsupported(graph.name(values[0])?.name ?? ""))
    }
  }

  /// `_rebuild_device_tensor_from_numpy(array, dtype, device, requires_grad)`.
  mutating func rebuildFromNumPy(
    _ arguments: ArraySlice<PickleValue>
  ) throws(Fault) -> PickleValue {
    let values = Array(arguments)
    guard values.count >= 2, case .dtype(let type)? = graph.name(values[1])?.known,
      case .record(let array) = values[0]
    else { throw malformedTensor("made from a NumPy array has the wrong properties") }
    // The state of an array: version, shape, type, whether in Fortran's order, bytes.
    let parts = graph.containers[Int(array)]
    guard parts.count == 3, graph.name(parts[0])?.known == .numPyArray,
      let slice = graph.elements(parts[2]), slice.count == 5,
      case let state = Array(slice), let shape = graph.integers(state[1]),
      shape.allSatisfy({ $0 >= 0 }), case .bool(let isFortran) = state[3]
    else { throw malformedTensor("made from a NumPy array has a malformed array") }
    guard let numPyType = numPyType(state[2]), numPyType == type else {
      return try newTensor(.unsupported("NumPy array of another type"))
    }
    switch state[4] {
    case .bytes, .latin1: break
    default: throw malformedTensor("made from a NumPy array has no bytes", found: state[4].kind)
    }
    return try newTensor(
      .inline(bytes: state[4], type: type, shape: shape, isFortranOrder: isFortran))
  }

  /// The type of a `numpy.dtype`, or `nil` if it is structured or big-endian.
  private func numPyType(_ value: PickleValue) -> ElementType? {
    guard case .record(let index) = value else { return nil }
    let parts = graph.containers[Int(index)]
    guard parts.count >= 2, graph.name(parts[0])?.known == .numPyType,
      let arguments = graph.elements(parts[1]), case .string(let text)? = arguments.first
    else { return nil }
    if parts.count == 3, let state = graph.elements(parts[2]), state.count > 1,
      graph.matches(state[state.startIndex + 1], ">")
    {
      return nil
    }
    return ElementType.byNumPyName[graph.text(text)]
  }
}
