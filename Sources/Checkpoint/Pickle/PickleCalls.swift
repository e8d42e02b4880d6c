import Tensors

// What a pickle would call, understood instead of called.
extension PickleMachine {
  /// `REDUCE`: a function and its arguments.
  mutating func reduce() throws(Fault) {
    let arguments = try pop()
    let callee = try pop()
    let known = try checkCallable(callee)
    guard case .tuple(let range) = arguments else {
      throw wrongType("calls a function with", arguments, "a tuple of arguments")
    }
    push(try call(callee, known, graph.items[range.range], arguments))
  }

  /// `NEWOBJ`: a class and the arguments of its constructor.
  mutating func newObject() throws(Fault) { try reduce() }

  /// The known meaning of what is about to be called.
  ///
  /// - Throws: ``Rule/pickleRunsCode`` when it is not known to be harmless.
  @discardableResult
  func checkCallable(_ value: PickleValue) throws(Fault) -> KnownName {
    guard let name = graph.name(value) else {
      throw wrongType("calls", value, "a class or function")
    }
    guard let known = name.known else {
      throw fault(
        .pickleRunsCode, "calls \(name.name), which runs code when unpickled",
        hint: "do not load this file in any program that unpickles it")
    }
    return known
  }

  private mutating func call(
    _ callee: PickleValue, _ known: KnownName, _ arguments: ArraySlice<PickleValue>,
    _ all: PickleValue
  ) throws(Fault) -> PickleValue {
    switch known {
    case .tensor, .tensorV2, .tensorV3, .fromType, .fromNumPy:
      guard arguments.count <= 16 else {
        throw malformedTensor("has too many properties", found: "\(arguments.count)")
      }
    default: break
    }
    switch known {
    case .tensor, .tensorV2, .tensorV3: return try rebuild(known, arguments)
    case .unsupportedTensor:
      return try newTensor(.unsupported(graph.name(callee)?.name ?? ""))
    case .parameter:
      guard case .tensor? = arguments.first else {
        throw malformedTensor("is wrapped as a parameter but is not a tensor")
      }
      return arguments[arguments.startIndex]
    case .fromType: return try rebuildFromType(arguments)
    case .fromNumPy: return try rebuildFromNumPy(arguments)
    case .dictionary: return try newDictionary(from: arguments.first)
    case .defaultDictionary: return try newDictionary(from: arguments.dropFirst().first)
    case .set:
      guard let argument = arguments.first, let values = graph.elements(argument) else {
        return .set(newContainer([]))
      }
      return .set(newContainer(Array(values)))
    case .encode:
      if case .string(let text)? = arguments.first { return .latin1(text) }
      return .opaque
    case .storage, .dtype, .size, .parameterDict, .numPyArray, .numPyType, .inert:
      return .record(newContainer([callee, all]))
    }
  }

  /// A dictionary with the contents that its constructor was given: another one, or pairs.
  private mutating func newDictionary(from value: PickleValue?) throws(Fault) -> PickleValue {
    guard let value else { return .dict(newContainer([])) }
    if case .dict(let other) = value {
      return .dict(newContainer(graph.containers[Int(other)]))
    }
    guard let pairs = graph.elements(value) else { return .dict(newContainer([])) }
    var entries: [PickleValue] = []
    for pair in pairs {
      guard let two = graph.elements(pair), two.count == 2 else {
        throw wrongType("makes a dictionary of", pair, "pairs of key and value")
      }
      entries.append(contentsOf: two)
    }
    return .dict(newContainer(entries))
  }

  /// `BUILD`: an object and its state.
  mutating func build() throws(Fault) {
    let state = try pop()
    guard let target = stack.last else { throw fault(.pickleStack, "gives state to no object") }
    switch target {
    case .record(let index):
      let count = graph.containers[Int(index)].count
      if count == 2 {
        graph.containers[Int(index)].append(state)
      } else if count > 2 {
        graph.containers[Int(index)][2] = state
      }
    // The state of an OrderedDict is a module's list of versions.
    case .dict, .set: break
    // Attributes do no harm; any other state would exchange the tensor's values.
    case .tensor:
      switch state {
      case .dict, .none: break
      default: throw wrongType("gives state to", target, "an object")
      }
    case .global:
      try checkCallable(target)
      throw wrongType("gives state to", target, "an object")
    default: throw wrongType("gives state to", target, "an object")
    }
  }

  /// `BINPERSID`: a storage, by the name of its record.
  mutating func pushPersistent() throws(Fault) {
    let value = try pop()
    guard case .tuple(let range) = value, range.count == 5 || range.count == 6 else {
      throw badReference(found: value.kind)
    }
    let parts = Array(graph.items[range.range])
    guard graph.matches(parts[0], "storage") else { throw badReference(found: parts[0].kind) }
    guard case .storage(let type)? = graph.name(parts[1])?.known else {
      throw badReference(found: graph.name(parts[1])?.name ?? parts[1].kind)
    }
    guard case .string(let key) = parts[2], isPlainKey(key) else {
      throw badReference(found: "the key " + keyText(parts[2]))
    }
    guard case .string = parts[3] else { throw badReference(found: parts[3].kind) }
    guard let count = graph.integer(parts[4]), count >= 0 else {
      throw badReference(found: "the length " + (graph.integer(parts[4]).map(String.init) ?? "?"))
    }
    let storage = PickledStorage(
      key: key, type: type, count: count, offset: graph.base + start)
    let index = try intern(storage)
    var first = 0
    var length = count
    switch parts.dropFirst(5).first {
    case nil, .some(.none): break
    case .tuple(let view):
      let numbers = graph.items[view.range].dropFirst().compactMap(graph.integer)
      guard view.count == 3, case .string = graph.items[Int(view.start)], numbers.count == 2,
        numbers[0] >= 0, numbers[1] >= 0,
        numbers[0] <= count, numbers[1] <= count - numbers[0]
      else { throw badReference(found: "a part that is not inside") }
      (first, length) = (numbers[0], numbers[1])
    case let other?: throw badReference(found: "a part that is " + other.kind)
    }
    guard graph.storageViews.count < Self.maximumDepth else {
      throw fault(.pickleLimit, "refers to storages more than \(Self.maximumDepth) times")
    }
    graph.storageViews.append(
      PickledStorageView(storage: index, start: first, count: length, type: type))
    push(.storage(Int32(truncatingIfNeeded: graph.storageViews.count - 1)))
  }

  private mutating func intern(_ storage: PickledStorage) throws(Fault) -> Int {
    let key = graph.bytes[storage.key.range]
    guard let index = storageIndexes[key] else {
      storageIndexes[key] = graph.storages.count
      graph.storages.append(storage)
      return graph.storages.count - 1
    }
    let first = graph.storages[index]
    guard first.byteCount == storage.byteCount, first.type.byteCount == storage.type.byteCount
    else {
      throw fault(
        .storageConflict, "describes storage '\(graph.text(storage.key))' twice",
        expected: "\(first.count) values as at byte \(first.offset)", found: "\(storage.count)")
    }
    return index
  }

  private func isPlainKey(_ key: PickleRange) -> Bool {
    let bytes = graph.bytes[key.range]
    return !bytes.isEmpty && bytes.count <= 255
      && !bytes.contains { $0 < 0x20 || $0 == 0x2F || $0 == 0x5C }
      && !bytes.elementsEqual([0x2E]) && !bytes.elementsEqual([0x2E, 0x2E])
  }

  private func keyText(_ value: PickleValue) -> String {
    guard case .string(let range) = value else { return "that is " + value.kind }
    return "'\(graph.text(range).prefix(80))'"
  }

  private func badReference(found: String) -> Fault {
    fault(
      .persistentID, "has a malformed reference to a storage",
      expected: "('storage', type, key, location, number of values)", found: found)
  }
}
