public import Tensors

/// A safetensors file: named tensors whose bytes lie one after another in one file.
///
/// Opening it reads and checks the header; values are read on demand.
///
///     let file = try SafeTensorsFile(path: "model.safetensors")
///     let names = file.tensors.map(\.name)
public struct SafeTensorsFile: TensorSource {
  /// The open file.
  public let file: InputFile
  /// Its header.
  public let header: SafeTensorsHeader
  /// Where the tensors' data begins in the file.
  public let dataOffset: Int

  /// Opens the file at `path`.
  public init(path: String) throws(Fault) {
    try self.init(InputFile(path: path))
  }

  /// Reads the header of an open file.
  ///
  /// - Throws: one of ``Rule/safeTensorsRules``, naming the file.
  public init(_ file: InputFile) throws(Fault) {
    self.file = file
    do throws(Fault) {
      let count = try Self.headerByteCount(of: file)
      dataOffset = 8 + count
      header = try SafeTensorsHeader(
        parsing: file.read(at: 8, count: count), dataByteCount: file.byteCount - dataOffset)
    } catch { throw error.at(file.path) }
  }

  /// The length that the first eight bytes give, if the file can hold it.
  private static func headerByteCount(of file: InputFile) throws(Fault) -> Int {
    guard file.byteCount >= 8 else {
      throw Fault(
        .headerTooSmall, "is too small for a safetensors file", offset: 0,
        expected: "at least 8 bytes", found: "\(file.byteCount)")
    }
    let count = try file.read(at: 0, count: 8).reversed().reduce(0 as UInt64) {
      $0 << 8 | UInt64($1)
    }
    guard count <= UInt64(SafeTensorsHeader.maximumByteCount) else {
      throw Fault(
        .headerTooLarge, "does not begin like a safetensors file: its header would be too long",
        offset: 0, byteCount: 8,
        expected: "at most \(grouped(UInt64(SafeTensorsHeader.maximumByteCount))) bytes",
        found: grouped(count), hint: "it is another kind of file, or damaged")
    }
    guard count <= UInt64(file.byteCount - 8) else {
      throw Fault(
        .headerBeyondFile,
        "is \(grouped(count - UInt64(file.byteCount - 8))) bytes short of the end of its header",
        offset: 0, byteCount: 8, hint: "interrupted download? fetch it again")
    }
    return Int(count)
  }

  /// The path it was opened by.
  public var path: String { file.path }
  /// ``Container/safetensors``.
  public var container: Container { .safetensors }
  /// The tensors, in the order of their data.
  public var tensors: [TensorInfo] { header.tensors }
  /// The texts of `__metadata__`.
  public var metadata: [MetadataEntry] { header.metadata ?? [] }
  /// Valid oddities of the header.
  public var findings: [Fault] { header.findings.map { $0.at(path) } }
  /// The one file.
  public var files: [InputFile] { [file] }

  /// Every tensor lies in the file as it is.
  public func extent(of index: Int) -> FileExtent? {
    FileExtent(
      file: file, offset: dataOffset + header.offsets[index],
      byteCount: header.tensors[index].byteCount)
  }

  /// Reads a range of a tensor's bytes from the file.
  public func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    try file.read(at: dataOffset + header.offsets[index] + offset, into: &buffer)
  }
}
