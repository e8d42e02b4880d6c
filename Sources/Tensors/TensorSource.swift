/// Which container the tensors came out of.
public enum Container: String, CaseIterable, Sendable {
  /// One safetensors file.
  case safetensors
  /// Several safetensors files under one index.
  case shardedSafetensors
  /// A zip checkpoint, as PyTorch 1.6 and later write it.
  case torchZip
  /// A checkpoint as PyTorch before 1.6 wrote it: pickles, then raw storages.
  case torchLegacy
  /// The contents of a zip checkpoint, unpacked into a folder.
  case torchFolder
  /// A folder with one model per component.
  case diffusersFolder

  /// A few words for people.
  public var title: String {
    switch self {
    case .safetensors: "safetensors file"
    case .shardedSafetensors: "sharded safetensors"
    case .torchZip: "PyTorch checkpoint (zip)"
    case .torchLegacy: "PyTorch checkpoint (legacy, before 1.6)"
    case .torchFolder: "unpacked PyTorch checkpoint folder"
    case .diffusersFolder: "diffusers folder"
    }
  }
}

/// Where a tensor's bytes lie when a file holds them as they are used: contiguous, little-endian,
/// not compressed.
public struct FileExtent: Sendable {
  /// The file.
  public let file: InputFile
  /// The first byte.
  public let offset: Int
  /// The number of bytes.
  public let byteCount: Int

  /// A range of bytes in `file`.
  public init(file: InputFile, offset: Int, byteCount: Int) {
    self.file = file
    self.offset = offset
    self.byteCount = byteCount
  }
}

/// A text that a file carries beside its tensors.
public struct MetadataEntry: Hashable, Sendable {
  /// Its name.
  public var key: String
  /// Its text.
  public var value: String

  /// A named text.
  public init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}

/// Named tensors that can be read on demand, whatever container they lie in.
///
/// Opening a source reads headers only. Values are read tensor by tensor, as contiguous
/// little-endian bytes, into memory that the caller provides. All members may be used from several
/// threads at once.
public protocol TensorSource: Sendable {
  /// The file or folder it was opened from.
  var path: String { get }
  /// What it lies in.
  var container: Container { get }
  /// All tensors, in the order of the file.
  var tensors: [TensorInfo] { get }
  /// The texts beside the tensors, in the order of the file.
  var metadata: [MetadataEntry] { get }
  /// What was noticed on opening that does not prevent reading.
  var findings: [Fault] { get }
  /// Every file that is read.
  var files: [InputFile] { get }

  /// Where the values of tensor `index` lie as they are, or `nil` if they must be assembled.
  func extent(of index: Int) -> FileExtent?

  /// What the values of tensor `index` follow from, or `nil` if that cannot be told.
  func origin(of index: Int) -> TensorOrigin?

  /// Fills `buffer` with the bytes of tensor `index` from byte `offset` of its contiguous form.
  ///
  /// Reading a tensor from front to back is always fast; jumping about may not be.
  func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault)

  /// Reads everything that carries a check sum and checks it.
  func verifyChecksums(width: Int) throws(Fault)
}

extension TensorSource {
  /// All bytes of one tensor.
  public func bytes(of index: Int) throws(Fault) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: tensors[index].byteCount)
    var span = bytes.mutableSpan
    var raw = unsafe span.mutableBytes
    try read(index, at: 0, into: &raw)
    return bytes
  }

  /// The position of each name in ``tensors``.
  public func indexByName() -> [TensorName: Int] {
    Dictionary(
      zip(tensors.lazy.map(\.name), tensors.indices), uniquingKeysWith: { first, _ in first })
  }

  /// Nothing in the container carries a check sum.
  public func verifyChecksums(width: Int) throws(Fault) {}

  /// Checks that no file changed since it was opened.
  ///
  /// - Throws: ``Rule/fileChanged``.
  public func checkUnchanged() throws(Fault) {
    for file in files { try file.checkUnchanged() }
  }
}

/// A container under construction: the tensors are known, their bytes arrive in any order.
///
/// Nothing stands under the final name before ``commit()`` returns.
public protocol TensorSink: Sendable {
  /// What will be in it, in the order of the file.
  var tensors: [TensorInfo] { get }

  /// Where tensor `index` will lie, for copies that the operating system can make by itself.
  ///
  /// `nil` where the bytes must pass through ``write(_:at:bytes:)``.
  func descriptorAndOffset(of index: Int) -> (descriptor: Int32, offset: Int)?

  /// Stores bytes of tensor `index` from byte `offset` of its contiguous little-endian form.
  func write(_ index: Int, at offset: Int, bytes: RawSpan) throws(Fault)

  /// Completes the container and gives it its name.
  func commit() throws(Fault)
}
