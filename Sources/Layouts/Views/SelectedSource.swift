public import Tensors

/// Some tensors of another source, perhaps under other names and shapes, in a new order.
///
/// Values are those of the original; only how they are called and seen changes.
public struct SelectedSource: TensorSource {
  /// The source that holds the values.
  public let base: any TensorSource
  /// The tensors as they are seen here.
  public let tensors: [TensorInfo]
  /// The texts beside the tensors.
  public let metadata: [MetadataEntry]

  private let indices: [Int]

  /// A view of `base`.
  ///
  /// - Parameters:
  ///   - base: the source that holds the values.
  ///   - selection: for each tensor its position in `base` and how it is seen here: same type and
  ///     same number of values.
  ///   - metadata: the texts beside the tensors; those of `base` if `nil`.
  public init(
    _ base: any TensorSource, _ selection: [(index: Int, info: TensorInfo)],
    metadata: [MetadataEntry]? = nil
  ) {
    precondition(
      selection.allSatisfy {
        let original = base.tensors[$0.index]
        return original.dtype == $0.info.dtype && original.elementCount == $0.info.elementCount
      })
    self.base = base
    self.metadata = metadata ?? base.metadata
    tensors = selection.map(\.info)
    indices = selection.map(\.index)
  }

  /// The path of the original.
  public var path: String { base.path }
  /// The container of the original.
  public var container: Container { base.container }
  /// What was noticed about the original.
  public var findings: [Fault] { base.findings }
  /// The files of the original.
  public var files: [InputFile] { base.files }

  /// Where the original lies.
  public func extent(of index: Int) -> FileExtent? { base.extent(of: indices[index]) }

  /// Reads from the original.
  public func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    try base.read(indices[index], at: offset, into: &buffer)
  }

  /// Checks the original.
  public func verifyChecksums(width: Int) throws(Fault) { try base.verifyChecksums(width: width) }
}
