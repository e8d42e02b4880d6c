public import Tensors

/// Writes a checkpoint that `torch.load` reads, also with `weights_only=True` and `mmap=True`.
///
/// Every tensor gets its own record, stored, aligned to 64 bytes and with its check sum. The same
/// tensors give the same bytes.
///
///     let writer = try TorchZipWriter(path: "out.ckpt", tensors: tensors)
///     try unsafe writer.write(0, at: 0, bytes: values.span.bytes)
///     try writer.commit()
public struct TorchZipWriter: TensorSink {
  /// What will be in the file, in this order.
  public let tensors: [TensorInfo]

  private let file: OutputFile
  private let layout: ZipLayout
  private let checksums: ChecksumLedger
  private let pickle: [UInt8]

  private static let version = Array("3\n".utf8)

  /// Begins a file that will appear at `path` when it is committed.
  ///
  /// - Parameters:
  ///   - path: the final name.
  ///   - tensors: what to write, each name once.
  ///   - metadata: texts beside the state dict; left out unless it is nested.
  ///   - isNested: whether to write `{"state_dict": {…}}`, as models are; else the state dict alone,
  ///     as embeddings are.
  ///   - replacing: whether an existing file is replaced.
  /// - Throws: ``Rule/checkpointUnwritable`` and what
  ///   ``OutputFile/init(path:byteCount:replacing:)`` throws.
  public init(
    path: String, tensors: [TensorInfo], metadata: [MetadataEntry] = [], isNested: Bool = true,
    replacing: Bool = false
  ) throws(Fault) {
    self.tensors = tensors
    do throws(Fault) {
      try checkWritable(tensors)
      pickle = try PickleWriter.stateDict(tensors, metadata: metadata, isNested: isNested)
    } catch { throw error.at(path) }
    let storages = tensors.enumerated().map { index, tensor in
      (name: "archive/data/\(index)", size: tensor.byteCount)
    }
    layout = ZipLayout(
      [("archive/data.pkl", pickle.count)] + storages + [("archive/version", Self.version.count)])
    checksums = ChecksumLedger(count: tensors.count)
    file = try OutputFile(path: path, byteCount: layout.byteCount, replacing: replacing)
  }

  /// Always `nil`: the bytes must pass through here for their check sum.
  public func descriptorAndOffset(of index: Int) -> (descriptor: Int32, offset: Int)? { nil }

  /// Stores bytes of tensor `index`.
  public func write(_ index: Int, at offset: Int, bytes: RawSpan) throws(Fault) {
    precondition(offset >= 0 && bytes.byteCount <= tensors[index].byteCount - offset)
    try file.write(bytes, at: layout.entries[index + 1].dataOffset + offset)
    checksums.add(index, at: offset, bytes)
  }

  /// Writes headers and directory, and gives the file its name.
  ///
  /// Every byte of every tensor must have been written once.
  public func commit() throws(Fault) {
    var crcs = [unsafe ChecksumLedger.crc(pickle.span.bytes)]
    for (index, tensor) in tensors.enumerated() {
      guard let crc = checksums.crc(of: index, byteCount: tensor.byteCount) else {
        throw Fault(
          .checkpointUnwritable, "was not written completely and once", path: file.path,
          tensor: tensor.name)
      }
      crcs.append(crc)
    }
    crcs.append(unsafe ChecksumLedger.crc(Self.version.span.bytes))
    for (index, entry) in layout.entries.enumerated() {
      let header = layout.header(index, crc: crcs[index])
      try unsafe file.write(header.span.bytes, at: entry.headerOffset)
    }
    try unsafe file.write(pickle.span.bytes, at: layout.entries[0].dataOffset)
    if let last = layout.entries.last {
      try unsafe file.write(Self.version.span.bytes, at: last.dataOffset)
    }
    let directory = layout.directory(crcs: crcs)
    try unsafe file.write(directory.span.bytes, at: layout.directoryOffset)
    try file.commit()
  }
}
