public import Tensors

/// Several sources seen as one: the shards of a model, or the components of a folder.
public struct CompositeSource: TensorSource {
  /// One of the sources, and what its tensors' names begin with here.
  public struct Part: Sendable {
    /// What is put before the names: empty, or a component and a slash such as `unet/`.
    public let prefix: String
    /// The source.
    public let source: any TensorSource

    /// A source whose tensors' names get `prefix`.
    public init(prefix: String, source: any TensorSource) {
      self.prefix = prefix
      self.source = source
    }
  }

  /// The folder or index it was opened from.
  public let path: String
  /// What it lies in.
  public let container: Container
  /// The sources, in the order of their tensors.
  public let parts: [Part]
  /// All tensors, part by part, each name with its part's prefix.
  public let tensors: [TensorInfo]
  /// The texts of all parts, each key with its part's prefix.
  public let metadata: [MetadataEntry]
  /// What was noticed about the whole and about each part.
  public let findings: [Fault]

  /// The number of tensors before each part.
  private let starts: [Int]

  /// The given sources as one.
  public init(path: String, container: Container, parts: [Part], findings: [Fault]) {
    self.path = path
    self.container = container
    self.parts = parts
    var tensors: [TensorInfo] = []
    var metadata: [MetadataEntry] = []
    var starts: [Int] = []
    var texts: Set<[TensorName]> = []
    for part in parts {
      starts.append(tensors.count)
      for tensor in part.source.tensors {
        tensors.append(
          part.prefix.isEmpty
            ? tensor : tensor.renamed(TensorName(part.prefix + tensor.name.string)))
      }
      for entry in part.source.metadata {
        let key = part.prefix + entry.key
        // Shards of one model repeat each other's texts. Compared as bytes, like names.
        if texts.insert([TensorName(key), TensorName(entry.value)]).inserted {
          metadata.append(MetadataEntry(key: key, value: entry.value))
        }
      }
    }
    self.tensors = tensors
    self.metadata = metadata
    self.starts = starts
    self.findings = findings + parts.flatMap(\.source.findings)
  }

  /// The files of all parts.
  public var files: [InputFile] { parts.flatMap(\.source.files) }

  /// Where the part's tensor lies.
  public func extent(of index: Int) -> FileExtent? {
    let (part, local) = locate(index)
    return part.source.extent(of: local)
  }

  /// Reads from the part that holds tensor `index`.
  public func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    let (part, local) = locate(index)
    try part.source.read(local, at: offset, into: &buffer)
  }

  /// Checks every part.
  public func verifyChecksums(width: Int) throws(Fault) {
    for part in parts { try part.source.verifyChecksums(width: width) }
  }

  private func locate(_ index: Int) -> (part: Part, local: Int) {
    // Few parts: the last one that begins at or before `index`.
    let part = (starts.lastIndex { $0 <= index }) ?? 0
    return (parts[part], index - starts[part])
  }
}
