public import Tensors

/// A checkpoint as PyTorch before 1.6 saved it: five pickles, then the storages one after another.
///
/// The pickles are a magic number, the protocol 1001, facts about the machine, the object, and the
/// keys of the storages in the order in which they follow, each after its number of values.
///
/// Source: PyTorch `torch/serialization.py`, `_legacy_save`.
public struct TorchLegacySource: TensorSource {
  /// The one file.
  public let file: InputFile
  /// The tensors that are not part of the model but of the state of a training.
  public var trainingStateTensorCount: Int { contents.trainingStateTensorCount }

  private let contents: TorchContents

  /// Opens a checkpoint.
  ///
  /// - Throws: rules PT020 to PT054.
  public init(file: InputFile) throws(Fault) {
    self.file = file
    do throws(Fault) {
      let pickles = try LegacyPickles(file)
      let storages = try pickles.storages(in: file)
      contents = try TorchContents(
        pickles.object, storages: storages, isBigEndian: false, byteCount: file.byteCount,
        findings: [])
    } catch { throw error.at(file.path) }
  }

  /// Whether a file that begins with `start` is of this kind: whether it has the magic number.
  static func begins(_ start: [UInt8]) -> Bool {
    guard start.count >= 14, start[0] == 0x80, (2...5).contains(start[1]) else { return false }
    let body = start[2] == 0x95 ? start.dropFirst(11) : start.dropFirst(2)
    return body.starts(with: LegacyPickles.magic)
  }

  /// Whether a file that begins with `start` is a tar archive, as PyTorch 0.1.9 and older wrote.
  static func isTar(_ start: [UInt8]) -> Bool {
    start.count >= 262 && start[257..<262].elementsEqual("ustar".utf8)
  }

  /// The explanation why a tar archive is not read.
  static func tarFault(_ file: InputFile) -> Fault {
    Fault(
      .legacyTar, "is a tar archive, as PyTorch 0.1.9 and older saved", path: file.path, offset: 0,
      hint: "it cannot be read without running code; load it in an old PyTorch on a machine that "
        + "can be thrown away, and save it again")
  }

  /// The path of the file.
  public var path: String { file.path }
  /// ``Container/torchLegacy``.
  public var container: Container { .torchLegacy }
  /// All tensors of the state dict, in the order of the pickle.
  public var tensors: [TensorInfo] { contents.tensors }
  /// Numbers and texts beside the state dict, such as `epoch` and `global_step`.
  public var metadata: [MetadataEntry] { contents.metadata }
  /// Unknown names in the pickle, and shared storages.
  public var findings: [Fault] { contents.findings.map { $0.at(file.path) } }
  /// The one file.
  public var files: [InputFile] { [file] }

  /// Where the values of tensor `index` lie as they are.
  public func extent(of index: Int) -> FileExtent? { contents.extent(of: index) }

  /// Fills `buffer` with the bytes of tensor `index` from `offset`.
  public func read(
    _ index: Int, at offset: Int, into buffer: inout MutableRawSpan
  ) throws(Fault) {
    do throws(Fault) {
      try contents.read(index, at: offset, into: &buffer)
    } catch { throw error.at(file.path) }
  }
}

/// The five pickles of a legacy checkpoint.
struct LegacyPickles {
  /// The object that was saved.
  let object: PickleGraph
  private let keys: PickleGraph
  /// The end of the last pickle.
  private let end: Int

  /// The instruction that pushes `0x1950a86a20f9469cfc6c`.
  static let magic: [UInt8] = [
    0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
  ]

  /// Reads the pickles at the start of `file`.
  init(_ file: InputFile) throws(Fault) {
    // How long they are is known only at their end: read more until it is found.
    var count = min(file.byteCount, 1 << 20)
    while true {
      let bytes = try file.read(at: 0, count: count)
      do throws(Fault) {
        try self.init(bytes)
        return
      } catch {
        let limit = min(file.byteCount, PickleMachine.maximumByteCount)
        guard error.rule == .pickleTruncated else { throw error }
        guard count < limit else {
          guard count < file.byteCount else { throw error }
          throw Fault(.pickleLimit, "has a pickle that is larger than any model's", offset: 0)
        }
        count = min(limit, count * 4)
      }
    }
  }

  private init(_ bytes: [UInt8]) throws(Fault) {
    guard TorchLegacySource.begins(bytes) else {
      throw Fault(.legacyHeader, "does not begin with the magic number", offset: 0)
    }
    var position = 0
    _ = try Self.next(bytes, &position)
    let version = try Self.next(bytes, &position)
    guard case .int(1001) = version.root else {
      throw Fault(
        .legacyHeader, "has an unsupported protocol", offset: 0, expected: "1001",
        found: version.integer(version.root).map { "\($0)" } ?? version.root.kind)
    }
    let facts = position
    guard case .dict = try Self.next(bytes, &position).root else {
      throw Fault(
        .legacyHeader, "has no dictionary of facts about the machine", offset: facts)
    }
    object = try Self.next(bytes, &position)
    keys = try Self.next(bytes, &position)
    end = position
  }

  private static func next(_ bytes: [UInt8], _ position: inout Int) throws(Fault) -> PickleGraph {
    var machine = PickleMachine(bytes: bytes, from: position)
    try machine.run()
    position = machine.position
    return machine.graph
  }

  /// Finds the storages of the object, which follow in the order of the key list.
  ///
  /// - Throws: ``Rule/legacyKeys``, ``Rule/legacyTruncated``, ``Rule/legacyTrailing``.
  func storages(in file: InputFile) throws(Fault) -> [TorchStorage] {
    var indexes: [TensorName: Int] = [:]
    for (index, storage) in object.storages.enumerated() {
      indexes[TensorName(object.text(storage.key))] = index
    }
    guard case .list(let list) = keys.root else {
      throw Fault(.legacyKeys, "has no list of storage keys", offset: end, found: keys.root.kind)
    }
    var found = [TorchStorage?](repeating: nil, count: object.storages.count)
    var position = end
    for value in keys.containers[Int(list)] {
      guard case .string(let range) = value else {
        throw Fault(
          .legacyKeys, "has a storage key that is no text", offset: end, found: value.kind)
      }
      let key = keys.text(range)
      guard let index = indexes[TensorName(key)], found[index] == nil else {
        throw Fault(
          .legacyKeys, "lists the storage key '\(key)', which is repeated or not used", offset: end)
      }
      let storage = object.storages[index]
      guard let size = storage.byteCount else {
        throw Fault(.persistentID, "has a storage of impossible size", offset: storage.offset)
      }
      guard file.byteCount - position >= 8 else { throw truncated(file, key, position, 8) }
      let stated = try file.read(at: position, count: 8).u64(0)
      guard stated == UInt64(storage.count) else {
        throw Fault(
          .legacyKeys, "has another length of storage '\(key)' than its pickle", offset: position,
          expected: "\(storage.count) values", found: "\(stated)")
      }
      position += 8
      guard file.byteCount - position >= size else { throw truncated(file, key, position, size) }
      found[index] = TorchStorage(location: .file(file, offset: position), byteCount: size)
      position += size
    }
    var storages: [TorchStorage] = []
    for (index, storage) in found.enumerated() {
      guard let storage else {
        throw Fault(
          .legacyKeys,
          "does not list the storage '\(object.text(object.storages[index].key))', which is used",
          offset: end)
      }
      storages.append(storage)
    }
    guard position == file.byteCount else {
      throw Fault(
        .legacyTrailing, "has \(file.byteCount - position) bytes after its last storage",
        offset: position, hint: "something may hide there; do not use this file")
    }
    return storages
  }

  private func truncated(_ file: InputFile, _ key: String, _ position: Int, _ size: Int) -> Fault {
    Fault(
      .legacyTruncated, "ends in the middle of storage '\(key)'", offset: position,
      expected: "\(size) bytes", found: "\(file.byteCount - position)",
      hint: "the download was probably interrupted; fetch the file again")
  }
}
