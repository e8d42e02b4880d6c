import Tensors

/// The pickle of a state dict, protocol 2, with the fewest instructions that PyTorch reads.
struct PickleWriter {
  private(set) var bytes: [UInt8] = [0x80, 2]
  /// The numbers under which texts and classes are stored, to be recalled.
  private var memo: [String: Int] = [:]
  /// Whether references to storages have the sixth part that files before PyTorch 1.6 have.
  private let isLegacy: Bool

  private init(isLegacy: Bool) { self.isLegacy = isLegacy }

  /// The pickle of `{"state_dict": {…}}`, or of the state dict alone.
  ///
  /// - Parameters:
  ///   - tensors: the state dict; tensor `n` lies on storage `n`.
  ///   - metadata: texts beside `state_dict`; not used if it is alone.
  ///   - isNested: whether there is a dictionary around the state dict.
  ///   - isLegacy: whether it is for the layout before PyTorch 1.6.
  /// - Returns: the whole pickle, from `PROTO` to `STOP`.
  /// - Throws: ``Rule/checkpointUnwritable``.
  static func stateDict(
    _ tensors: [TensorInfo], metadata: [MetadataEntry], isNested: Bool, isLegacy: Bool = false
  ) throws(Fault) -> [UInt8] {
    var writer = PickleWriter(isLegacy: isLegacy)
    if isNested {
      writer.bytes.append(0x7D)  // EMPTY_DICT
      for entry in metadata {
        writer.text(entry.key)
        writer.text(entry.value)
        writer.bytes.append(0x73)  // SETITEM
      }
      writer.text("state_dict")
    }
    writer.bytes.append(0x7D)
    // Python sets a thousand items at a time, too.
    for start in stride(from: 0, to: tensors.count, by: 1000) {
      writer.bytes.append(0x28)  // MARK
      for index in start..<min(tensors.count, start + 1000) {
        writer.text(tensors[index].name.string)
        try writer.tensor(tensors[index], storage: index)
      }
      writer.bytes.append(0x75)  // SETITEMS
    }
    if isNested { writer.bytes.append(0x73) }
    writer.bytes.append(0x2E)  // STOP
    return writer.bytes
  }

  /// What stands before and after the object in the layout before PyTorch 1.6.
  static func legacyFrame(storageCount: Int) -> (before: [UInt8], after: [UInt8]) {
    var magic = PickleWriter(isLegacy: true)
    magic.bytes += LegacyPickles.magic + [0x2E]
    var version = PickleWriter(isLegacy: true)
    version.number(1001)
    version.bytes.append(0x2E)
    var facts = PickleWriter(isLegacy: true)
    facts.bytes += [0x7D, 0x28]
    facts.text("protocol_version")
    facts.number(1001)
    facts.text("little_endian")
    facts.bytes.append(0x88)  // NEWTRUE
    facts.text("type_sizes")
    facts.bytes += [0x7D, 0x28]
    for (name, size) in [("short", 2), ("int", 4), ("long", 4)] {
      facts.text(name)
      facts.number(size)
    }
    facts.bytes += [0x75, 0x75, 0x2E]
    var keys = PickleWriter(isLegacy: true)
    keys.bytes.append(0x5D)  // EMPTY_LIST
    for start in stride(from: 0, to: storageCount, by: 1000) {
      keys.bytes.append(0x28)
      for index in start..<min(storageCount, start + 1000) { keys.text("\(index)") }
      keys.bytes.append(0x65)  // APPENDS
    }
    keys.bytes.append(0x2E)
    return (magic.bytes + version.bytes + facts.bytes, keys.bytes)
  }

  /// `_rebuild_tensor_v2((storage), 0, shape, strides, False, OrderedDict())`; types that have no
  /// storage class take the third version, on bytes.
  private mutating func tensor(_ tensor: TensorInfo, storage: Int) throws(Fault) {
    let type = try CheckpointType(tensor)
    name("torch._utils", type.isUntyped ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2")
    bytes += [0x28, 0x28]
    memoised("storage")
    name(type.isUntyped ? "torch.storage" : "torch", type.storageClass)
    text("\(storage)")
    memoised("cpu")
    number(type.isUntyped ? tensor.byteCount : tensor.elementCount)
    if isLegacy { bytes.append(0x4E) }  // NONE
    bytes += [0x74, 0x51]  // TUPLE BINPERSID
    number(0)
    tuple(tensor.shape)
    tuple(strides(of: tensor))
    bytes.append(0x89)  // NEWFALSE
    name("collections", "OrderedDict")
    bytes += [0x29, 0x52]  // EMPTY_TUPLE REDUCE
    if type.isUntyped { name("torch", type.dtypeName) }
    bytes += [0x74, 0x52]  // TUPLE REDUCE
  }

  /// Whether storages of that type are counted in bytes.
  static func isUntyped(_ dtype: DType) -> Bool {
    switch dtype {
    case .u16, .u32, .u64, .f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ: true
    default: false
    }
  }

  private func strides(of tensor: TensorInfo) -> [Int] {
    var strides = [Int](repeating: 1, count: tensor.shape.count)
    // Without values the strides do not matter, and their products may overflow.
    guard tensor.elementCount > 0 else { return strides }
    for axis in strides.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * tensor.shape[axis + 1]
    }
    return strides
  }

  private mutating func tuple(_ numbers: [Int]) {
    switch numbers.count {
    case 0: bytes.append(0x29)
    case 1...3:
      for value in numbers { number(value) }
      bytes.append(UInt8(0x84 + numbers.count))  // TUPLE1, TUPLE2, TUPLE3
    default:
      bytes.append(0x28)
      for value in numbers { number(value) }
      bytes.append(0x74)
    }
  }

  private mutating func number(_ value: Int) {
    switch value {
    case 0..<256: bytes += [0x4B, UInt8(value)]  // BININT1
    case 256..<65_536:
      bytes.append(0x4D)  // BININT2
      bytes.append(value, count: 2)
    case 65_536...0x7FFF_FFFF:
      bytes.append(0x4A)  // BININT
      bytes.append(value, count: 4)
    default:
      bytes += [0x8A, 8]  // LONG1
      bytes.append(value, count: 8)
    }
  }

  private mutating func text(_ string: String) {
    bytes.append(0x58)  // BINUNICODE
    bytes.append(string.utf8.count, count: 4)
    bytes += string.utf8
  }

  private mutating func memoised(_ string: String) {
    if recall(string) { return }
    text(string)
    store(string)
  }

  private mutating func name(_ module: String, _ name: String) {
    let key = module + " " + name
    if recall(key) { return }
    bytes.append(0x63)  // GLOBAL
    bytes += Array("\(module)\n\(name)\n".utf8)
    store(key)
  }

  private mutating func recall(_ key: String) -> Bool {
    guard let index = memo[key] else { return false }
    bytes += [0x68, UInt8(truncatingIfNeeded: index)]  // BINGET
    return true
  }

  /// There are far fewer than 256 different classes and texts.
  private mutating func store(_ key: String) {
    bytes += [0x71, UInt8(truncatingIfNeeded: memo.count)]  // BINPUT
    memo[key] = memo.count
  }
}

/// How PyTorch calls the type of a tensor.
private struct CheckpointType {
  let storageClass: String
  let dtypeName: String
  /// Whether the type came after storages ceased to have types.
  let isUntyped: Bool

  init(_ tensor: TensorInfo) throws(Fault) {
    switch tensor.dtype {
    case .bool: self.init("BoolStorage")
    case .u8: self.init("ByteStorage")
    case .i8: self.init("CharStorage")
    case .i16: self.init("ShortStorage")
    case .i32: self.init("IntStorage")
    case .i64: self.init("LongStorage")
    case .f16: self.init("HalfStorage")
    case .bf16: self.init("BFloat16Storage")
    case .f32: self.init("FloatStorage")
    case .f64: self.init("DoubleStorage")
    case .c64: self.init("ComplexFloatStorage")
    case .u16: self.init(untyped: "uint16")
    case .u32: self.init(untyped: "uint32")
    case .u64: self.init(untyped: "uint64")
    case .f8E5M2: self.init(untyped: "float8_e5m2")
    case .f8E4M3: self.init(untyped: "float8_e4m3fn")
    case .f8E8M0: self.init(untyped: "float8_e8m0fnu")
    case .f8E4M3FNUZ: self.init(untyped: "float8_e4m3fnuz")
    case .f8E5M2FNUZ: self.init(untyped: "float8_e5m2fnuz")
    case .f4, .f6E2M3, .f6E3M2:
      throw Fault(
        .checkpointUnwritable, "has a type that PyTorch has no tensors of", tensor: tensor.name,
        found: tensor.dtype.name, hint: "write a safetensors file instead")
    }
  }

  private init(_ storageClass: String) {
    self.storageClass = storageClass
    dtypeName = ""
    isUntyped = false
  }

  private init(untyped dtypeName: String) {
    storageClass = "UntypedStorage"
    self.dtypeName = dtypeName
    isUntyped = true
  }
}

/// Checks that a checkpoint can hold `tensors`.
///
/// - Throws: ``Rule/checkpointUnwritable``.
func checkWritable(_ tensors: [TensorInfo]) throws(Fault) {
  var names: Set<TensorName> = []
  for tensor in tensors {
    guard names.insert(tensor.name).inserted else {
      throw Fault(
        .checkpointUnwritable, "is there twice", tensor: tensor.name,
        hint: "a checkpoint holds each name once; rename one of them")
    }
    guard tensor.shape.count <= PickleGraph.maximumRank else {
      throw Fault(
        .checkpointUnwritable, "has more axes than PyTorch allows", tensor: tensor.name,
        expected: "at most \(PickleGraph.maximumRank)", found: "\(tensor.shape.count)")
    }
  }
}
