/// A part of an array, in half the room of `Range<Int>`.
struct PickleRange: Hashable {
  let start: UInt32
  let count: UInt32

  init(start: Int, count: Int) {
    self.start = UInt32(truncatingIfNeeded: start)
    self.count = UInt32(truncatingIfNeeded: count)
  }

  var range: Range<Int> { Int(start)..<(Int(start) + Int(count)) }
}

/// One value of an unpickled object.
///
/// Whatever is larger than a number is a position in the ``PickleGraph``: values are copied and
/// freed in constant time, however deeply the object is nested.
enum PickleValue {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  /// UTF-8 in the pickle's bytes, valid.
  case string(PickleRange)
  /// Bytes in the pickle.
  case bytes(PickleRange)
  /// Bytes that the pickle writes as UTF-8 text of characters below 256.
  case latin1(PickleRange)
  /// A value that is not looked into, such as an integer beyond 64 bits.
  case opaque
  /// A function or class, by its position in ``PickleGraph/names``.
  case global(Int32)
  /// Values in ``PickleGraph/items``.
  case tuple(PickleRange)
  /// The values of one of ``PickleGraph/containers``.
  case list(Int32), set(Int32)
  /// Keys and values in turn, in one of ``PickleGraph/containers``.
  case dict(Int32)
  /// An object of a harmless class: the class, the arguments, and its state if any.
  case record(Int32)
  /// One of ``PickleGraph/storageViews``.
  case storage(Int32)
  /// One of ``PickleGraph/tensors``.
  case tensor(Int32)

  /// What it is, for messages.
  var kind: String {
    switch self {
    case .none: "None"
    case .bool: "a truth value"
    case .int: "an integer"
    case .float: "a floating-point number"
    case .string: "a string"
    case .bytes, .latin1: "bytes"
    case .opaque: "a large integer"
    case .global: "a class or function"
    case .tuple: "a tuple"
    case .list: "a list"
    case .set: "a set"
    case .dict: "a dictionary"
    case .record: "an object"
    case .storage: "a storage"
    case .tensor: "a tensor"
    }
  }
}

/// A run of values that tensors lie on, as the pickle describes it.
struct PickledStorage {
  /// The name of its record.
  let key: PickleRange
  let type: ElementType
  /// The number of values; of bytes if the type is untyped.
  let count: Int
  /// Where the pickle first refers to it.
  let offset: Int

  /// Its size in bytes, or `nil` if that overflows.
  var byteCount: Int? {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: type.byteCount)
    return overflow ? nil : bytes
  }
}

/// A part of a storage; only files from before PyTorch 0.4 have parts that are not the whole.
struct PickledStorageView {
  /// The position in ``PickleGraph/storages``, or `nil` if the values lie in the pickle itself.
  let storage: Int?
  /// The first value.
  let start: Int
  /// The number of values.
  let count: Int
  /// What the values are.
  let type: ElementType
}

/// A tensor as the pickle describes it, checked for form only.
struct PickledTensor {
  enum Content {
    case view(storageView: Int, type: ElementType, offset: Int, shape: [Int], strides: [Int])
    /// Values in the pickle, as NumPy writes them.
    case inline(bytes: PickleValue, type: ElementType, shape: [Int], isFortranOrder: Bool)
    /// A kind without plain values; the name of the function that would rebuild it.
    case unsupported(String)
  }

  let content: Content
  /// Where the pickle describes it.
  let offset: Int
}

/// A function or class that a pickle names.
struct PickledName {
  let name: String
  let known: KnownName?
  /// Where it is first named.
  let offset: Int
}

/// Everything that a pickle builds, as inert data.
struct PickleGraph {
  let bytes: [UInt8]
  /// Where ``bytes`` begin in the file.
  let base: Int
  /// The object, once the pickle has ended.
  var root = PickleValue.none
  /// The elements of all tuples.
  var items: [PickleValue] = []
  var containers: [[PickleValue]] = []
  var names: [PickledName] = []
  var storages: [PickledStorage] = []
  var storageViews: [PickledStorageView] = []
  var tensors: [PickledTensor] = []

  init(bytes: [UInt8], base: Int) {
    self.bytes = bytes
    self.base = base
  }

  /// The text of a string.
  func text(_ range: PickleRange) -> String {
    String(decoding: bytes[range.range], as: UTF8.self)
  }

  /// Whether `value` is the string `text`.
  func matches(_ value: PickleValue, _ text: StaticString) -> Bool {
    guard case .string(let range) = value, range.count == text.utf8CodeUnitCount else {
      return false
    }
    return text.withUTF8Buffer { other in
      unsafe bytes[range.range].elementsEqual(other)
    }
  }

  /// The whole number that `value` is.
  func integer(_ value: PickleValue) -> Int? {
    guard case .int(let number) = value else { return nil }
    return number
  }

  /// The most axes of a tensor: PyTorch's own limit.
  static let maximumRank = 64

  /// The whole numbers in a tuple, list or `torch.Size`, if they are no more than a tensor's axes.
  func integers(_ value: PickleValue) -> [Int]? {
    guard let values = elements(value), values.count <= Self.maximumRank else { return nil }
    var numbers: [Int] = []
    numbers.reserveCapacity(values.count)
    for value in values {
      guard let number = integer(value) else { return nil }
      numbers.append(number)
    }
    return numbers
  }

  /// The values in a tuple, list or `torch.Size`.
  func elements(_ value: PickleValue) -> ArraySlice<PickleValue>? {
    switch value {
    case .tuple(let range): return items[range.range]
    case .list(let index): return containers[Int(index)][...]
    case .record(let index):
      let parts = containers[Int(index)]
      guard parts.count >= 2, name(parts[0])?.known == .size, case .tuple(let outer) = parts[1],
        outer.count == 1
      else { return nil }
      switch items[Int(outer.start)] {
      case .tuple(let range): return items[range.range]
      case .list(let index): return containers[Int(index)][...]
      default: return nil
      }
    default: return nil
    }
  }

  /// The function or class that `value` is.
  func name(_ value: PickleValue) -> PickledName? {
    guard case .global(let index) = value else { return nil }
    return names[Int(index)]
  }

  /// The keys and values, in turn, of a dictionary or of an object that serves as one.
  func entries(_ value: PickleValue) -> [PickleValue]? {
    switch value {
    case .dict(let index): return containers[Int(index)]
    case .record(let index):
      // A ParameterDict keeps its tensors among the attributes of a module.
      let parts = containers[Int(index)]
      guard parts.count == 3, name(parts[0])?.known == .parameterDict,
        case .dict(let attributes) = parts[2],
        containers[Int(attributes)].count <= 512,
        case .dict(let parameters)? = self[attributes, "_parameters"]
      else { return nil }
      return containers[Int(parameters)]
    default: return nil
    }
  }

  /// The value under the string `key` of dictionary `index`; the last one, as in Python.
  subscript(index: Int32, key: StaticString) -> PickleValue? {
    let entries = containers[Int(index)]
    var found: PickleValue?
    for position in stride(from: 0, to: entries.count - 1, by: 2)
    where matches(entries[position], key) { found = entries[position + 1] }
    return found
  }
}
