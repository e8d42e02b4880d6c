/// What the values of a tensor follow from.
///
/// Two tensors of one origin have the same bytes, so that what was made of the one need not be made
/// of the other again.
public indirect enum TensorOrigin: Hashable, Sendable {
  /// Bytes of a file, which is told by its place, size and times.
  case stored(file: String, offset: Int, byteCount: Int, DType)
  /// The result of a computation, told by its name and all its settings.
  case computed(by: String, DType, from: [TensorOrigin])

  /// Bytes of a file.
  init(_ extent: FileExtent, _ dtype: DType) {
    self = .stored(
      file: extent.file.fingerprint, offset: extent.offset, byteCount: extent.byteCount, dtype)
  }

  /// All of a file.
  public init(_ file: InputFile) {
    self.init(FileExtent(file: file, offset: 0, byteCount: file.byteCount), .u8)
  }
}

extension TensorSource {
  /// The place in a file, if the bytes lie in one as they are.
  public func origin(of index: Int) -> TensorOrigin? {
    extent(of: index).map { TensorOrigin($0, tensors[index].dtype) }
  }
}
