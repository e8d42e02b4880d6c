import CZlib
public import Tensors

/// A checkpoint as PyTorch 1.6 and later save it: a zip archive with a pickle and raw storages.
///
/// Opening reads the headers and `data.pkl`; values are read on demand. The pickle is read as data:
/// nothing in it can run.
///
///     let source = try TorchZipSource(file: InputFile(path: "v1-5-pruned.ckpt"))
///     print(source.tensors.count, source.metadata)
public struct TorchZipSource: TensorSource {
  /// The one file.
  public let file: InputFile
  /// The tensors that are not part of the model but of the state of a training.
  public var trainingStateTensorCount: Int { contents.trainingStateTensorCount }

  private let archive: ZipArchive
  private let pool: InflaterPool
  private let contents: TorchContents

  /// Opens a checkpoint.
  ///
  /// - Throws: rules PT001 to PT048: what is damaged or unsafe, and where.
  public init(file: InputFile) throws(Fault) {
    self.file = file
    do throws(Fault) {
      archive = try ZipArchive(file)
      pool = InflaterPool(file)
      contents = try Self.open(archive, pool)
    } catch { throw error.at(file.path) }
  }

  /// The path of the file.
  public var path: String { file.path }
  /// ``Container/torchZip``.
  public var container: Container { .torchZip }
  /// All tensors of the state dict, in the order of the file.
  public var tensors: [TensorInfo] { contents.tensors }
  /// Numbers and texts beside the state dict, such as `epoch` and `global_step`.
  public var metadata: [MetadataEntry] { contents.metadata }
  /// Unknown names in the pickle, shared storages, unused records.
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

  /// Reads every record and compares its check sum, expanding compressed ones.
  ///
  /// Compressed records that nothing refers to are not expanded beyond a megabyte: a small file
  /// could keep its reader busy without end.
  ///
  /// - Throws: ``Rule/checksum``, ``Rule/deflateStream``, ``Rule/deflateSize``.
  public func verifyChecksums(width: Int) throws(Fault) {
    let used = Set(contents.storages.compactMap(\.entryOffset))
    let entries = archive.entries.filter { entry in
      !entry.isDeflated || entry.size <= 1 << 20 || used.contains(entry.headerOffset)
    }
    try forEachIndex(below: entries.count, width: width) { index throws(Fault) in
      let entry = entries[index]
      guard entry.isDeflated || entry.crc != 0 else { return }
      try Self.read(entry, file) { _ in }
    }
  }

  private static func open(
    _ archive: ZipArchive, _ pool: InflaterPool
  ) throws(Fault) -> TorchContents {
    let file = archive.file
    let folder = try folder(of: archive)
    try checkVersion(archive, folder)
    guard let pickle = archive[folder + "data.pkl"] else {
      throw Fault(.recordMissing, "has no record 'data.pkl'", expected: "'\(folder)data.pkl'")
    }
    let graph = try PickleMachine.graph(
      ofRecord: pickle.size, base: pickle.isDeflated ? 0 : pickle.dataOffset
    ) { () throws(Fault) in try contents(of: pickle, file) }
    var order = "little"
    if let record = archive[folder + "byteorder"] {
      order = try smallText(of: record, file)
    }
    return try resolve(graph, archive, pool, folder, isBigEndian: isBig(order))
  }

  private static func resolve(
    _ graph: borrowing PickleGraph, _ archive: ZipArchive, _ pool: InflaterPool, _ folder: String,
    isBigEndian: Bool
  ) throws(Fault) -> TorchContents {
    var storages: [TorchStorage] = []
    var used: Set<TensorName> = []
    for storage in graph.storages {
      let name = folder + "data/" + graph.text(storage.key)
      guard let entry = archive[name] else {
        throw Fault(
          .recordMissing, "has no record for a storage", offset: storage.offset,
          expected: "'\(name)'")
      }
      guard let size = storage.byteCount, entry.size == size else {
        throw Fault(
          .recordSize, "has a record '\(name)' of the wrong size", offset: entry.headerOffset,
          expected: "\(storage.count) values of \(storage.type.byteCount) bytes",
          found: "\(entry.size) bytes")
      }
      used.insert(entry.name)
      storages.append(
        TorchStorage(
          location: entry.isDeflated
            ? .deflated(entry, pool) : .file(archive.file, offset: entry.dataOffset),
          byteCount: size))
    }
    let unused = archive.entries.filter {
      $0.name.hasPrefix(folder + "data/") && !used.contains($0.name)
    }
    var findings: [Fault] = []
    if let first = unused.first {
      let rest = unused.count > 1 ? " and \(unused.count - 1) more" : ""
      findings.append(
        Fault(
          .recordUnused, "has a record '\(first.name)'\(rest) that no tensor uses",
          offset: first.headerOffset))
    }
    return try TorchContents(
      graph, storages: storages, isBigEndian: isBigEndian, byteCount: archive.file.byteCount,
      findings: findings)
  }

  /// The directory that all entries lie below, with its slash.
  private static func folder(of archive: ZipArchive) throws(Fault) -> String {
    guard let first = archive.entries.first else {
      throw Fault(.notCheckpoint, "is an empty zip archive, not a PyTorch checkpoint", offset: 0)
    }
    let slash = first.name.utf8.firstIndex(of: 0x2F)
    let folder = slash.map { String(first.name.string[...$0]) } ?? ""
    let names = archive.entries.map(\.name)
    guard names.contains(where: { isCheckpointRecord($0) }) else {
      throw Fault(
        .notCheckpoint, "is a zip archive, but not a PyTorch checkpoint", offset: 0,
        expected: "a record 'data.pkl'", found: "'\(first.name)'")
    }
    if let program = names.first(where: {
      $0.hasPrefix(folder + "code/") || $0 == TensorName(folder + "constants.pkl")
    }) {
      throw Fault(
        .notCheckpoint, "is a TorchScript program, not a checkpoint", offset: 0,
        found: "'\(program)'", hint: "save the state dict of the model with torch.save")
    }
    if let stray = archive.entries.first(where: { !$0.name.hasPrefix(folder) || folder.isEmpty }) {
      throw Fault(
        .archiveLayout, "has an entry '\(stray.name)' outside of its directory",
        offset: stray.headerOffset, expected: "all entries below '\(folder)'")
    }
    return folder
  }

  private static func isCheckpointRecord(_ name: TensorName) -> Bool {
    name.hasSuffix("/data.pkl") || name.hasSuffix("/version") || name == "data.pkl"
  }

  private static func checkVersion(_ archive: ZipArchive, _ folder: String) throws(Fault) {
    guard let record = archive[folder + "version"] ?? archive[folder + ".data/version"] else {
      throw Fault(.recordMissing, "has no record 'version'", expected: "'\(folder)version'")
    }
    try checkVersion(smallText(of: record, archive.file), at: record.dataOffset)
  }

  /// Checks the text of a `version` record.
  static func checkVersion(_ text: String, at offset: Int?) throws(Fault) {
    guard let number = Int(text), (1...10).contains(number) else {
      throw Fault(
        .archiveVersion, "has an unsupported version", offset: offset, expected: "1 to 10",
        found: "'\(text)'")
    }
  }

  /// Whether the text of a `byteorder` record means big-endian.
  static func isBig(_ text: String) throws(Fault) -> Bool {
    switch text {
    case "little": return false
    case "big": return true
    default:
      throw Fault(
        .byteOrder, "has an unknown byte order", expected: "'little' or 'big'", found: "'\(text)'")
    }
  }

  /// The contents of a record that holds a word.
  private static func smallText(of entry: ZipEntry, _ file: InputFile) throws(Fault) -> String {
    guard entry.size <= 64 else { return "a text of \(entry.size) bytes" }
    return trimmed(try contents(of: entry, file))
  }

  /// The text without line feeds and spaces around it.
  static func trimmed(_ bytes: [UInt8]) -> String {
    let isBlank: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
    let start = bytes.drop(while: isBlank)
    guard let last = start.lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(decoding: start[...last], as: UTF8.self)
  }

  /// All bytes of a small entry, with their check sum verified.
  private static func contents(of entry: ZipEntry, _ file: InputFile) throws(Fault) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(min(entry.size, 1 << 20))
    try read(entry, file) { chunk in
      unsafe chunk.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  /// Passes the contents of `entry` to `body` piece by piece, and verifies their check sum.
  private static func read(
    _ entry: ZipEntry, _ file: InputFile, _ body: (RawSpan) -> Void
  ) throws(Fault) {
    let buffer = Buffer(byteCount: min(max(1, entry.size), 1 << 20))
    let inflater = entry.isDeflated ? try Inflater(file, entry) : nil
    var done = 0
    var crc: UInt = 0
    repeat {
      var span = buffer.bytes(min(buffer.byteCount, entry.size - done))
      if let inflater {
        try unsafe span.withUnsafeMutableBytes { bytes throws(Fault) in
          try unsafe inflater.read(into: bytes)
        }
      } else {
        try file.read(at: entry.dataOffset + done, into: &span)
        crc = unsafe span.withUnsafeBytes { bytes in
          unsafe crc32_z(crc, bytes.baseAddress?.assumingMemoryBound(to: Bytef.self), bytes.count)
        }
      }
      done += span.byteCount
      body(span.bytes)
    } while done < entry.size
    if inflater == nil { try checkSum(UInt32(truncatingIfNeeded: crc), entry, file) }
  }
}
