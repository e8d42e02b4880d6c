public import Tensors

/// Writes a checkpoint in the layout of PyTorch before 1.6, which all versions read.
///
///     let writer = try TorchLegacyWriter(path: "old.ckpt", tensors: tensors)
public struct TorchLegacyWriter: TensorSink {
  /// What will be in the file, in this order.
  public let tensors: [TensorInfo]

  private let file: OutputFile
  private let offsets: [Int]

  /// Begins a file that will appear at `path` when it is committed.
  ///
  /// - Parameters:
  ///   - path: the final name.
  ///   - tensors: what to write, each name once.
  ///   - metadata: texts beside the state dict; left out unless it is nested.
  ///   - isNested: whether to write `{"state_dict": {…}}`.
  ///   - replacing: whether an existing file is replaced.
  /// - Throws: ``Rule/checkpointUnwritable`` and what
  ///   ``OutputFile/init(path:byteCount:replacing:)`` throws.
  public init(
    path: String, tensors: [TensorInfo], metadata: [MetadataEntry] = [], isNested: Bool = true,
    replacing: Bool = false
  ) throws(Fault) {
    self.tensors = tensors
    let frame = PickleWriter.legacyFrame(storageCount: tensors.count)
    let object: [UInt8]
    do throws(Fault) {
      try checkWritable(tensors)
      if let tensor = tensors.first(where: { PickleWriter.isUntyped($0.dtype) }) {
        throw Fault(
          .checkpointUnwritable, "has a type that is younger than this layout",
          tensor: tensor.name, found: tensor.dtype.name, hint: "write a zip checkpoint instead")
      }
      object = try PickleWriter.stateDict(
        tensors, metadata: metadata, isNested: isNested, isLegacy: true)
    } catch { throw error.at(path) }
    let head = frame.before + object + frame.after
    var position = head.count
    var offsets: [Int] = []
    for tensor in tensors {
      offsets.append(position + 8)
      position += 8 + tensor.byteCount
    }
    self.offsets = offsets
    file = try OutputFile(path: path, byteCount: position, replacing: replacing)
    try unsafe file.write(head.span.bytes, at: 0)
    for (tensor, offset) in zip(tensors, offsets) {
      var count: [UInt8] = []
      count.append(tensor.elementCount, count: 8)
      try unsafe file.write(count.span.bytes, at: offset - 8)
    }
  }

  /// Where tensor `index` will lie.
  public func descriptorAndOffset(of index: Int) -> (descriptor: Int32, offset: Int)? {
    (file.descriptor, offsets[index])
  }

  /// Stores bytes of tensor `index`.
  public func write(_ index: Int, at offset: Int, bytes: RawSpan) throws(Fault) {
    precondition(offset >= 0 && bytes.byteCount <= tensors[index].byteCount - offset)
    try file.write(bytes, at: offsets[index] + offset)
  }

  /// Gives the file its name.
  public func commit() throws(Fault) { try file.commit() }
}
