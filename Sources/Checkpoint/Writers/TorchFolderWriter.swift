import Glibc
public import Tensors

/// Writes a checkpoint as a folder: what a zip checkpoint holds, unpacked.
///
///     let writer = try TorchFolderWriter(path: "model", tensors: tensors)
public struct TorchFolderWriter: TensorSink {
  /// What will be in the folder, in this order.
  public let tensors: [TensorInfo]

  private let folder: OutputFolder
  private let dataPath: String

  /// Begins a folder that will appear at `path` when it is committed.
  ///
  /// - Parameters:
  ///   - path: the final name.
  ///   - tensors: what to write, each name once.
  ///   - metadata: texts beside the state dict; left out unless it is nested.
  ///   - isNested: whether to write `{"state_dict": {…}}`.
  ///   - replacing: whether an existing folder is replaced.
  /// - Throws: ``Rule/checkpointUnwritable`` and what ``OutputFolder/init(path:replacing:)`` throws.
  public init(
    path: String, tensors: [TensorInfo], metadata: [MetadataEntry] = [], isNested: Bool = true,
    replacing: Bool = false
  ) throws(Fault) {
    self.tensors = tensors
    let pickle: [UInt8]
    do throws(Fault) {
      try checkWritable(tensors)
      pickle = try PickleWriter.stateDict(tensors, metadata: metadata, isNested: isNested)
    } catch { throw error.at(path) }
    folder = try OutputFolder(path: path, replacing: replacing)
    dataPath = try folder.makeFolder("data")
    try OutputFile.checkRoom(
      for: tensors.reduce(0) { $0.addingReportingOverflow($1.byteCount).partialValue },
      in: dataPath)
    try folder.write(pickle, to: "data.pkl")
    try folder.write(Array("little".utf8), to: "byteorder")
    try folder.write(Array("3\n".utf8), to: "version")
    for (index, tensor) in tensors.enumerated() {
      try with(index, flags: O_CREAT | O_EXCL) { descriptor, path throws(Fault) in
        guard ftruncate(descriptor, tensor.byteCount) == 0 else {
          throw .refused("reserve room for", path)
        }
      }
    }
  }

  /// Always `nil`: a model has more tensors than a process may have open files.
  public func descriptorAndOffset(of index: Int) -> (descriptor: Int32, offset: Int)? { nil }

  /// Stores bytes of tensor `index`.
  public func write(_ index: Int, at offset: Int, bytes: RawSpan) throws(Fault) {
    precondition(offset >= 0 && bytes.byteCount <= tensors[index].byteCount - offset)
    try with(index, flags: 0) { descriptor, path throws(Fault) in
      var done = 0
      while done < bytes.byteCount {
        let count = unsafe bytes.withUnsafeBytes { buffer in
          unsafe pwrite(
            descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done,
            offset + done)
        }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw .refused("write", path) }
        done += count
      }
    }
  }

  /// Makes the files durable and gives the folder its name.
  public func commit() throws(Fault) {
    for index in tensors.indices {
      try with(index, flags: 0) { descriptor, path throws(Fault) in
        guard fsync(descriptor) == 0 else { throw .refused("write", path) }
      }
    }
    try folder.commit()
  }

  /// Opens the file of tensor `index` for the time of `body`.
  private func with(
    _ index: Int, flags: CInt, _ body: (CInt, String) throws(Fault) -> Void
  ) throws(Fault) {
    let path = "\(dataPath)/\(index)"
    let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0o666)
    guard descriptor >= 0 else { throw .refused("open", path) }
    defer { close(descriptor) }
    try body(descriptor, path)
  }
}
