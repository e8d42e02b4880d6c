import Glibc
public import Tensors

/// A zip checkpoint that was unpacked: a folder with `data.pkl`, `data/0` and so on.
///
/// The records may also lie one folder further down, as archive programs leave them.
///
///     let source = try TorchFolderSource(path: "v1-5-pruned")
public struct TorchFolderSource: TensorSource {
  /// The folder, as it was named.
  public let path: String
  /// `data.pkl`, and one file for each storage.
  public let files: [InputFile]
  /// The tensors that are not part of the model but of the state of a training.
  public var trainingStateTensorCount: Int { contents.trainingStateTensorCount }

  private let contents: TorchContents

  /// Opens an unpacked checkpoint.
  ///
  /// - Throws: rules PT008 to PT048, and ``Rule/linkOutside`` for a link that leaves the folder.
  public init(path: String) throws(Fault) {
    guard let source = try Self.open(ModelFolder(path: path)) else {
      throw Fault(
        .recordMissing, "has no record 'data.pkl'", path: path,
        hint: "an unpacked checkpoint has 'data.pkl', 'data/' and 'version' side by side")
    }
    self = source
  }

  /// Whether `folder` holds `data.pkl`, itself or in a folder beside which there is nothing.
  static func isUnpacked(_ folder: ModelFolder) -> Bool { root(of: folder) != nil }

  /// Opens `folder` if it is an unpacked checkpoint.
  static func open(_ folder: ModelFolder) throws(Fault) -> TorchFolderSource? {
    guard let root = root(of: folder) else { return nil }
    return try TorchFolderSource(folder, root)
  }

  private static func root(of folder: ModelFolder) -> ModelFolder? {
    if folder.contains("data.pkl") { return folder }
    // What lies beside other models is one of them, and not the only one.
    let inner = folder.entries().filter { !$0.hasPrefix(".") }
    guard inner.count == 1, folder.isFolder(inner[0]) else { return nil }
    let only = folder.folder(inner[0])
    return only.contains("data.pkl") ? only : nil
  }

  private init(_ folder: ModelFolder, _ root: ModelFolder) throws(Fault) {
    path = folder.path
    let file = try root.open("data.pkl")
    var files = [file]
    do throws(Fault) {
      let graph: PickleGraph
      do throws(Fault) {
        graph = try PickleMachine.graph(ofRecord: file.byteCount) { () throws(Fault) in
          try file.read(at: 0, count: file.byteCount)
        }
      } catch { throw error.at(file.path) }
      if let version = try Self.smallText(root, "version") {
        try TorchZipSource.checkVersion(version, at: nil)
      }
      let isBigEndian = try TorchZipSource.isBig(Self.smallText(root, "byteorder") ?? "little")
      let storages = try Self.storages(graph, root, &files)
      contents = try TorchContents(
        graph, storages: storages, isBigEndian: isBigEndian,
        byteCount: files.reduce(0) { $0 + $1.byteCount },
        findings: Self.unused(graph, root))
    } catch { throw error.at(folder.path) }
    self.files = files
  }

  private static func storages(
    _ graph: borrowing PickleGraph, _ root: ModelFolder, _ files: inout [InputFile]
  ) throws(Fault) -> [TorchStorage] {
    allowOpenFiles(graph.storages.count)
    var storages: [TorchStorage] = []
    for storage in graph.storages {
      let key = graph.text(storage.key)
      let name = "data/" + key
      guard root.contains(name) else {
        throw Fault(
          .recordMissing, "has no record for a storage", offset: storage.offset,
          expected: "'\(name)'")
      }
      let file = try root.open(name)
      guard let size = storage.byteCount, file.byteCount == size else {
        throw Fault(
          .recordSize, "has the wrong size", path: file.path,
          expected: "\(storage.count) values of \(storage.type.byteCount) bytes",
          found: "\(file.byteCount) bytes")
      }
      files.append(file)
      storages.append(TorchStorage(location: .file(file, offset: 0), byteCount: size))
    }
    return storages
  }

  private static func unused(_ graph: borrowing PickleGraph, _ root: ModelFolder) -> [Fault] {
    var used: Set<String> = []
    for storage in graph.storages { used.insert(graph.text(storage.key)) }
    let rest = root.folder("data").entries().filter { !used.contains($0) }
    guard let first = rest.first else { return [] }
    let more = rest.count > 1 ? " and \(rest.count - 1) more" : ""
    return [Fault(.recordUnused, "has a record 'data/\(first)'\(more) that no tensor uses")]
  }

  private static func smallText(_ root: ModelFolder, _ name: String) throws(Fault) -> String? {
    guard root.contains(name) else { return nil }
    let file = try root.open(name)
    guard file.byteCount <= 64 else { return "a text of \(file.byteCount) bytes" }
    return TorchZipSource.trimmed(try file.read(at: 0, count: file.byteCount))
  }

  /// Raises this process's limit of open files: every storage is one.
  private static func allowOpenFiles(_ count: Int) {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    let needed = rlim_t(count) + 256
    guard limit.rlim_cur < needed else { return }
    limit.rlim_cur = min(limit.rlim_max, needed)
    unsafe _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  /// ``Container/torchFolder``.
  public var container: Container { .torchFolder }
  /// All tensors of the state dict, in the order of the pickle.
  public var tensors: [TensorInfo] { contents.tensors }
  /// Numbers and texts beside the state dict, such as `epoch` and `global_step`.
  public var metadata: [MetadataEntry] { contents.metadata }
  /// Unknown names in the pickle, shared storages, unused files.
  public var findings: [Fault] { contents.findings.map { $0.at(path) } }

  /// Where the values of tensor `index` lie as they are.
  public func extent(of index: Int) -> FileExtent? { contents.extent(of: index) }

  /// Fills `buffer` with the bytes of tensor `index` from `offset`.
  public func read(
    _ index: Int, at offset: Int, into buffer: inout MutableRawSpan
  ) throws(Fault) {
    do throws(Fault) {
      try contents.read(index, at: offset, into: &buffer)
    } catch { throw error.at(path) }
  }
}
