import SafeTensors
public import Tensors

/// Writes a folder of safetensors files and texts, such as a diffusers pipeline.
///
///     let writer = try FolderWriter(
///       path: "model", tensors: tensors,   // named `unet/conv_in.weight` and so on
///       fileNames: ["unet": "diffusion_pytorch_model.safetensors"], texts: configs)
public struct FolderWriter: TensorSink {
  /// What will be in the files; the part before the first slash is the folder.
  public let tensors: [TensorInfo]

  private let folder: OutputFolder
  private let writers: [SafeTensorsWriter]
  /// For each tensor the writer that holds it, and its position there.
  private let positions: [(writer: Int, local: Int)]

  /// Begins a folder that will appear at `path` when it is committed.
  ///
  /// - Parameters:
  ///   - path: the final name.
  ///   - tensors: what to write, each named after its folder and a slash.
  ///   - fileNames: the name of the weights file in each folder.
  ///   - texts: other files, by their path in the folder.
  ///   - replacing: whether an existing folder of that name is replaced.
  /// - Throws: ``Rule/outputExists`` and what the files' writers throw.
  public init(
    path: String, tensors: [TensorInfo], fileNames: [String: String],
    texts: [(path: String, bytes: [UInt8])], replacing: Bool = false
  ) throws(Fault) {
    self.tensors = tensors
    var members: [String: [TensorInfo]] = [:]
    var locations: [(folder: String, local: Int)] = []
    for tensor in tensors {
      let slash = tensor.name.utf8.firstIndex(of: UInt8(ascii: "/"))
      let component = slash.map { String(tensor.name.string[..<$0]) } ?? ""
      guard fileNames[component] != nil, let name = tensor.name.dropping(prefix: component + "/")
      else {
        throw Fault(
          .invalidIndex, "belongs to no component that is written", path: path, tensor: tensor.name)
      }
      locations.append((component, members[component]?.count ?? 0))
      members[component, default: []].append(tensor.renamed(name))
    }
    folder = try OutputFolder(path: path, replacing: replacing)
    var writers: [SafeTensorsWriter] = []
    var order: [String: Int] = [:]
    for (component, tensors) in members.sorted(by: { TensorName($0.key) < TensorName($1.key) }) {
      order[component] = writers.count
      writers.append(
        try SafeTensorsWriter(
          path: folder.makeFolder(component) + "/" + (fileNames[component] ?? ""),
          tensors: tensors, metadata: [MetadataEntry(key: "format", value: "pt")]))
    }
    for text in texts {
      if let slash = text.path.lastIndex(of: "/") {
        _ = try folder.makeFolder(String(text.path[..<slash]))
      }
      try folder.write(text.bytes, to: text.path)
    }
    self.writers = writers
    positions = locations.map { (order[$0.folder] ?? 0, $0.local) }
  }

  /// Where tensor `index` will lie.
  public func descriptorAndOffset(of index: Int) -> (descriptor: Int32, offset: Int)? {
    writers[positions[index].writer].descriptorAndOffset(of: positions[index].local)
  }

  /// Stores bytes of tensor `index`.
  public func write(_ index: Int, at offset: Int, bytes: RawSpan) throws(Fault) {
    try writers[positions[index].writer].write(positions[index].local, at: offset, bytes: bytes)
  }

  /// Completes the files and gives the folder its name.
  public func commit() throws(Fault) {
    for writer in writers { try writer.commit() }
    try folder.commit()
  }
}
