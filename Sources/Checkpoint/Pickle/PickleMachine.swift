import Tensors

/// Reads a pickle as data.
///
/// The instructions of a pickle build an object out of numbers, texts and calls of Python functions.
/// Here nothing can be called: the few functions that stand for tensors are understood, those known
/// to be harmless leave an inert record, and a call of any other is an error that names it. Work and
/// memory are bounded by the length of the pickle.
///
/// Source: Python's `pickletools`; PyTorch's `torch/_weights_only_unpickler.py`.
struct PickleMachine {
  /// No model's pickle is larger: the largest published ones have a few megabytes.
  static let maximumByteCount = 64 << 20
  /// The most values on the stack, and open marks; writers keep to about a thousand.
  static let maximumDepth = 1 << 20
  /// The most values in tuples, lists and dictionaries together.
  static let maximumValues = 8 << 20

  var graph: PickleGraph
  /// The next byte.
  var position: Int
  /// The instruction being carried out.
  var start: Int
  var stack: [PickleValue] = []
  private var marks: [UInt32] = []
  private var memo = PickleMemo()
  private var nameIndexes: [String: Int32] = [:]
  var storageIndexes: [ArraySlice<UInt8>: Int] = [:]
  var valueCount = 0
  /// A reason to refuse the pickle that waits until it is known whether there is a graver one.
  var deferred: Fault?

  /// A machine for the pickle that begins at `position`; `base` is where the bytes lie in the file.
  init(bytes: [UInt8], from position: Int = 0, base: Int = 0) {
    graph = PickleGraph(bytes: bytes, base: base)
    // Room that is not used takes no memory; growing would hold all elements twice.
    graph.items.reserveCapacity(min(bytes.count, 1 << 20))
    self.position = position
    start = position
  }

  /// Reads one pickle to its end.
  ///
  /// - Throws: rules PT020 to PT032, and PT040 for malformed tensors.
  mutating func run() throws(Fault) {
    do throws(Fault) {
      try checkProtocol()
      var isRunning = true
      while isRunning {
        start = position
        isRunning = try step(readByte())
        guard stack.count <= Self.maximumDepth, marks.count <= Self.maximumDepth else {
          throw fault(.pickleLimit, "piles up more than \(Self.maximumDepth) values")
        }
        try count(0)
      }
      if let deferred { throw deferred }
    } catch {
      // An end that is too early may only mean that more bytes must be read.
      let isGraver = error.rule == .pickleRunsCode || error.rule == .pickleTruncated
      throw isGraver ? error : deferred ?? error
    }
  }

  private mutating func checkProtocol() throws(Fault) {
    guard position < graph.bytes.count else {
      throw fault(.pickleTruncated, "has no instructions")
    }
    guard graph.bytes[position] == 0x80 else {
      postpone(.pickleProtocol, "does not begin with the number of its protocol")
      return
    }
    position += 1
    let version = try readByte()
    if !(2...5).contains(version) {
      postpone(
        .pickleProtocol, "has an unsupported protocol", expected: "2 to 5", found: "\(version)")
    }
  }

  /// Carries out one instruction; whether there are more.
  private mutating func step(_ code: UInt8) throws(Fault) -> Bool {
    switch code {
    // Numbers and texts
    case 0x4E: push(.none)  // NONE
    case 0x88: push(.bool(true))  // NEWTRUE
    case 0x89: push(.bool(false))  // NEWFALSE
    case 0x4B: push(.int(Int(try readByte())))  // BININT1
    case 0x4D: push(.int(try readInteger(2)))  // BININT2
    case 0x4A: push(.int(Int(Int32(truncatingIfNeeded: try readInteger(4)))))  // BININT
    case 0x8A: try pushLong(count: Int(readByte()))  // LONG1
    case 0x8B: try pushLong(count: readInteger(4))  // LONG4
    case 0x47: try pushFloat()  // BINFLOAT
    case 0x8C: push(.string(try readText(Int(readByte()))))  // SHORT_BINUNICODE
    case 0x58: push(.string(try readText(readInteger(4))))  // BINUNICODE
    case 0x8D: push(.string(try readText(readInteger(8))))  // BINUNICODE8
    case 0x55: push(.string(try readText(Int(readByte()))))  // SHORT_BINSTRING
    case 0x54: push(.string(try readText(readInteger(4))))  // BINSTRING
    case 0x43: push(.bytes(try readRange(Int(readByte()))))  // SHORT_BINBYTES
    case 0x42: push(.bytes(try readRange(readInteger(4))))  // BINBYTES
    case 0x8E, 0x96: push(.bytes(try readRange(readInteger(8))))  // BINBYTES8, BYTEARRAY8
    // Containers
    case 0x28: marks.append(UInt32(stack.count))  // MARK
    case 0x29: push(.tuple(PickleRange(start: 0, count: 0)))  // EMPTY_TUPLE
    case 0x85: try pushTuple(from: stack.count - 1)  // TUPLE1
    case 0x86: try pushTuple(from: stack.count - 2)  // TUPLE2
    case 0x87: try pushTuple(from: stack.count - 3)  // TUPLE3
    case 0x74: try pushTuple(from: popMark())  // TUPLE
    case 0x5D: push(.list(newContainer([])))  // EMPTY_LIST
    case 0x7D: push(.dict(newContainer([])))  // EMPTY_DICT
    case 0x8F: push(.set(newContainer([])))  // EMPTY_SET
    case 0x91: push(.set(newContainer(try pop(from: popMark()))))  // FROZENSET
    case 0x61: try append(from: stack.count - 1, code)  // APPEND
    case 0x65, 0x90: try append(from: popMark(), code)  // APPENDS, ADDITEMS
    case 0x73: try setItems(from: stack.count - 2)  // SETITEM
    case 0x75: try setItems(from: popMark())  // SETITEMS
    // Memory
    case 0x71: memo.store(try top(), at: UInt32(try readByte()))  // BINPUT
    case 0x72: memo.store(try top(), at: UInt32(truncatingIfNeeded: try readInteger(4)))
    case 0x94: memo.store(try top(), at: memo.nextIndex)  // MEMOIZE
    case 0x68: try recall(UInt32(readByte()))  // BINGET
    case 0x6A: try recall(UInt32(truncatingIfNeeded: readInteger(4)))  // LONG_BINGET
    // Functions and classes
    case 0x63: push(try readName())  // GLOBAL
    case 0x93: try pushStackName()  // STACK_GLOBAL
    case 0x52: try reduce()  // REDUCE
    case 0x81: try newObject()  // NEWOBJ
    case 0x62: try build()  // BUILD
    case 0x51: try pushPersistent()  // BINPERSID
    case 0x95: _ = try checkFrame()  // FRAME
    case 0x2E:  // STOP
      guard stack.count == 1, marks.isEmpty else {
        throw fault(.pickleStack, "ends with \(stack.count) values where there must be one")
      }
      graph.root = stack[0]
      return false
    default: try refuse(code)
    }
    return true
  }

  /// Instructions that no checkpoint has: the pickle is refused, after a look at what it would call.
  private mutating func refuse(_ code: UInt8) throws(Fault) {
    let name = Self.refused[code]
    guard let name else {
      throw fault(
        .pickleOpcode, "has an unknown instruction",
        found: "0x" + String(code >> 4, radix: 16) + String(code & 15, radix: 16))
    }
    postpone(.pickleOpcode, "has the instruction \(name), which no saved model needs")
    switch code {
    case 0x30: _ = try pop()  // POP
    case 0x31: _ = try pop(from: popMark())  // POP_MARK
    case 0x32: push(try top())  // DUP
    case 0x49, 0x4C, 0x46:
      _ = try readLine()
      push(.opaque)
    case 0x53, 0x56:  // STRING, UNICODE
      let line = try readLine()
      push(.string(try checkedText(line)))
    case 0x50:  // PERSID
      _ = try readLine()
      push(.none)
    case 0x67: try recall(number(readLine()))  // GET
    case 0x70: memo.store(try top(), at: number(try readLine()))  // PUT
    case 0x64:  // DICT
      push(.dict(newContainer(try pop(from: popMark()))))
    case 0x6C: push(.list(newContainer(try pop(from: popMark()))))  // LIST
    case 0x69:  // INST
      let callee = try readName()
      _ = try pop(from: popMark())
      try checkCallable(callee)
      push(.none)
    case 0x6F:  // OBJ
      let values = try pop(from: popMark())
      try checkCallable(values.first ?? .none)
      push(.none)
    case 0x92:  // NEWOBJ_EX
      _ = try pop()
      _ = try pop()
      try checkCallable(pop())
      push(.none)
    default: throw deferred ?? fault(.pickleOpcode, "has an unsupported instruction")
    }
  }

  private static let refused: [UInt8: String] = [
    0x30: "POP", 0x31: "POP_MARK", 0x32: "DUP", 0x49: "INT", 0x4C: "LONG", 0x46: "FLOAT",
    0x53: "STRING", 0x56: "UNICODE", 0x50: "PERSID", 0x67: "GET", 0x70: "PUT", 0x64: "DICT",
    0x6C: "LIST", 0x69: "INST", 0x6F: "OBJ", 0x92: "NEWOBJ_EX", 0x82: "EXT1", 0x83: "EXT2",
    0x84: "EXT4", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER", 0x80: "PROTO",
  ]
}

// The stack, the memo and the arena.
extension PickleMachine {
  mutating func push(_ value: PickleValue) { stack.append(value) }

  mutating func pop() throws(Fault) -> PickleValue {
    guard stack.count > Int(marks.last ?? 0), let value = stack.popLast() else { throw underflow() }
    return value
  }

  private func top() throws(Fault) -> PickleValue {
    guard stack.count > Int(marks.last ?? 0), let value = stack.last else { throw underflow() }
    return value
  }

  private mutating func popMark() throws(Fault) -> Int {
    guard let mark = marks.popLast() else {
      throw fault(.pickleStack, "looks for a mark that was never set")
    }
    return Int(mark)
  }

  private mutating func pop(from bottom: Int) throws(Fault) -> [PickleValue] {
    guard bottom >= Int(marks.last ?? 0), bottom <= stack.count else { throw underflow() }
    let values = Array(stack[bottom...])
    stack.removeSubrange(bottom...)
    return values
  }

  private func underflow() -> Fault {
    fault(.pickleStack, "takes more values than there are")
  }

  mutating func newContainer(_ values: [PickleValue]) -> Int32 {
    graph.containers.append(values)
    valueCount += values.count + 1
    return Int32(truncatingIfNeeded: graph.containers.count - 1)
  }

  private mutating func pushTuple(from bottom: Int) throws(Fault) {
    guard bottom >= Int(marks.last ?? 0), bottom <= stack.count else { throw underflow() }
    let range = PickleRange(start: graph.items.count, count: stack.count - bottom)
    graph.items.append(contentsOf: stack[bottom...])
    stack.removeSubrange(bottom...)
    try count(Int(range.count))
    push(.tuple(range))
  }

  private mutating func count(_ values: Int) throws(Fault) {
    valueCount += values
    guard valueCount <= Self.maximumValues else {
      throw fault(.pickleLimit, "has more than \(Self.maximumValues) values")
    }
  }

  private mutating func append(from bottom: Int, _ code: UInt8) throws(Fault) {
    guard bottom > Int(marks.last ?? 0), bottom <= stack.count else { throw underflow() }
    let index: Int32
    switch (stack[bottom - 1], code) {
    case (.list(let list), 0x61), (.list(let list), 0x65): index = list
    case (.set(let set), 0x90): index = set
    default: throw wrongType("adds elements to", stack[bottom - 1], "a list or set")
    }
    try count(stack.count - bottom)
    graph.containers[Int(index)].append(contentsOf: stack[bottom...])
    stack.removeSubrange(bottom...)
  }

  private mutating func setItems(from bottom: Int) throws(Fault) {
    guard bottom > Int(marks.last ?? 0), bottom <= stack.count else { throw underflow() }
    guard (stack.count - bottom).isMultiple(of: 2) else {
      throw fault(.pickleStack, "stores a key without a value")
    }
    guard case .dict(let index) = stack[bottom - 1] else {
      throw wrongType("stores items in", stack[bottom - 1], "a dictionary")
    }
    try count(stack.count - bottom)
    graph.containers[Int(index)].append(contentsOf: stack[bottom...])
    stack.removeSubrange(bottom...)
  }

  private mutating func recall(_ index: UInt32) throws(Fault) {
    guard let value = memo[index] else {
      throw fault(.pickleMemo, "recalls value \(index), which was never stored")
    }
    push(value)
  }
}

// The bytes.
extension PickleMachine {
  private mutating func readByte() throws(Fault) -> UInt8 {
    guard position < graph.bytes.count else { throw truncated() }
    position += 1
    return graph.bytes[position - 1]
  }

  private mutating func readInteger(_ width: Int) throws(Fault) -> Int {
    guard graph.bytes.count - position >= width else { throw truncated() }
    var value: UInt64 = 0
    for index in (0..<width).reversed() {
      value = value << 8 | UInt64(graph.bytes[position + index])
    }
    position += width
    guard let number = Int(exactly: value) else {
      throw fault(.pickleValue, "has an impossible length", found: "\(value)")
    }
    return number
  }

  private mutating func readRange(_ count: Int) throws(Fault) -> PickleRange {
    guard graph.bytes.count - position >= count else { throw truncated() }
    position += count
    return PickleRange(start: position - count, count: count)
  }

  private mutating func readText(_ count: Int) throws(Fault) -> PickleRange {
    try checkedText(readRange(count))
  }

  private func checkedText(_ range: PickleRange) throws(Fault) -> PickleRange {
    guard isUTF8(graph.bytes.span.extracting(range.range)) else {
      throw fault(.pickleValue, "has a string that is not valid UTF-8")
    }
    return range
  }

  /// The bytes up to the next line feed, which is skipped.
  private mutating func readLine() throws(Fault) -> PickleRange {
    let begin = position
    while try readByte() != 0x0A {}
    return PickleRange(start: begin, count: position - 1 - begin)
  }

  private func number(_ range: PickleRange) -> UInt32 {
    UInt32(graph.text(range)) ?? .max
  }

  private mutating func checkFrame() throws(Fault) -> Int {
    let count = try readInteger(8)
    guard graph.bytes.count - position >= count else { throw truncated() }
    return count
  }

  private mutating func pushLong(count: Int) throws(Fault) {
    guard count <= 255 else {
      throw fault(.pickleValue, "has an integer of \(count) bytes")
    }
    let range = try readRange(count).range
    guard count <= 8 else { return push(.opaque) }
    var value: UInt64 = range.last.map { graph.bytes[$0] >= 0x80 } ?? false ? .max : 0
    for index in range.reversed() { value = value << 8 | UInt64(graph.bytes[index]) }
    push(.int(Int(Int64(bitPattern: value))))
  }

  private mutating func pushFloat() throws(Fault) {
    let range = try readRange(8).range
    let bits = range.reduce(0 as UInt64) { $0 << 8 | UInt64(graph.bytes[$1]) }
    push(.float(Double(bitPattern: bits)))
  }

  private mutating func readName() throws(Fault) -> PickleValue {
    let module = try checkedText(readLine())
    return try intern(module: module, name: checkedText(readLine()))
  }

  private mutating func pushStackName() throws(Fault) {
    let name = try pop()
    let module = try pop()
    guard case .string(let moduleText) = module, case .string(let nameText) = name else {
      throw wrongType("looks up a name in", module, "strings")
    }
    push(try intern(module: moduleText, name: nameText))
  }

  private mutating func intern(
    module: PickleRange, name: PickleRange
  ) throws(Fault) -> PickleValue {
    guard module.count <= 1024, name.count <= 1024 else {
      throw fault(.pickleValue, "has the name of a function or class with more than 1,024 bytes")
    }
    let module = graph.text(module)
    let name = graph.text(name)
    let full = "\(module).\(name)"
    if let index = nameIndexes[full] { return .global(index) }
    let index = Int32(truncatingIfNeeded: graph.names.count)
    graph.names.append(
      PickledName(
        name: full, known: KnownName(module: module, name: name), offset: graph.base + start))
    nameIndexes[full] = index
    return .global(index)
  }
}
