public import Tensors

/// Writes a safetensors file whose bytes may arrive in any order and from any thread.
///
///     let writer = try SafeTensorsWriter(path: "out.safetensors", tensors: tensors, metadata: nil)
///     try unsafe writer.write(0, at: 0, bytes: values.span.bytes)
///     try writer.commit()
public struct SafeTensorsWriter: TensorSink {
  /// What will be in the file, as given.
  public let tensors: [TensorInfo]
  /// The header, and where each tensor goes.
  public let layout: SafeTensorsLayout

  private let file: OutputFile

  /// Begins a file that will appear at `path` when it is committed.
  ///
  /// - Throws: what ``SafeTensorsLayout/init(tensors:metadata:order:)`` and
  ///   ``OutputFile/init(path:byteCount:replacing:)`` throw.
  public init(
    path: String, tensors: [TensorInfo], metadata: [MetadataEntry]?,
    order: SafeTensorsLayout.Order = .canonical, replacing: Bool = false
  ) throws(Fault) {
    self.tensors = tensors
    do throws(Fault) {
      layout = try SafeTensorsLayout(tensors: tensors, metadata: metadata, order: order)
    } catch { throw error.at(path) }
    file = try OutputFile(path: path, byteCount: layout.byteCount, replacing: replacing)
    try unsafe file.write(layout.header.span.bytes, at: 0)
  }

  /// Where tensor `index` will lie.
  public func descriptorAndOffset(of index: Int) -> (descriptor: Int32, offset: Int)? {
    (file.descriptor, layout.offsets[index])
  }

  /// Stores bytes of tensor `index`.
  public func write(_ index: Int, at offset: Int, bytes: RawSpan) throws(Fault) {
    precondition(offset + bytes.byteCount <= tensors[index].byteCount)
    try file.write(bytes, at: layout.offsets[index] + offset)
  }

  /// Gives the file its name.
  public func commit() throws(Fault) { try file.commit() }
}
