import Checkpoint
import SafeTensors
import StableDiffusion
public import Tensors

/// Writes a model in any layout.
///
///     try ModelWriter(layout: .diffusers).write(source, to: "model")
public struct ModelWriter: Sendable {
  /// The layout.
  public var layout: OutputLayout
  /// Whether an existing output is replaced.
  public var replacing = false
  /// The number of threads.
  public var width = 1

  /// A writer for `layout`.
  public init(layout: OutputLayout) { self.layout = layout }

  /// Writes `source`, renamed and reshaped as the layout asks.
  ///
  /// - Parameters:
  ///   - source: the model; its values may be computed as they are asked for.
  ///   - path: the file or folder to make.
  ///   - metadata: the texts to write beside the tensors, where the layout has room for them.
  ///   - progress: called with the number of bytes written since the last call, from any thread.
  /// - Returns: how the tensors were arranged, and which have no place in the layout.
  /// - Throws: what reading and writing throw; then nothing stands under `path`.
  @discardableResult
  public func write(
    _ source: any TensorSource, to path: String, metadata: [MetadataEntry]? = nil,
    progress: @Sendable (Int) -> Void = { _ in }
  ) throws(Fault) -> Arrangement {
    let identity = ModelIdentity(source.tensors)
    let arrangement = Arrangement(identity, layout: layout)
    guard layout != .diffusers || identity.kind == .stableDiffusion1 else {
      throw Fault(
        .otherModel, "has no diffusers layout", severity: .error, path: source.path,
        expected: "a Stable Diffusion 1.x model", found: identity.title)
    }
    try write(
      arranged: SelectedSource(source, arrangement.selection),
      dimensions: identity.schema.dimensions, components: identity.components.map(\.component),
      alone: arrangement.alone, to: path, metadata: metadata, isNested: identity.kind.isNested,
      progress: progress)
    return arrangement
  }

  /// Writes `view`, whose names and shapes are those of the layout already.
  func write(
    arranged view: any TensorSource, dimensions: Dimensions, components: [Component],
    alone: Component?, to path: String, metadata: [MetadataEntry]?, isNested: Bool,
    progress: @Sendable (Int) -> Void
  ) throws(Fault) {
    switch layout {
    case .safetensors:
      try SafeTensorsFile.write(
        view, to: path, metadata: metadata, replacing: replacing, width: width, progress: progress)
    case .ckpt:
      let sink = try TorchZipWriter(
        path: path, tensors: view.tensors, metadata: metadata ?? [], isNested: isNested,
        replacing: replacing)
      try copyAll(view, to: sink, width: width, progress: progress)
    case .folder:
      let sink = try TorchFolderWriter(
        path: path, tensors: view.tensors, metadata: metadata ?? [], isNested: isNested,
        replacing: replacing)
      try copyAll(view, to: sink, width: width, progress: progress)
    case .diffusers:
      let configuration = DiffusersConfiguration(
        dimensions: dimensions, components: components, isAlone: alone != nil)
      try writeFolder(view, configuration, to: path, metadata: metadata, progress: progress)
    }
  }

  /// Writes one safetensors file for each component, and the configurations.
  private func writeFolder(
    _ view: any TensorSource, _ configuration: DiffusersConfiguration, to path: String,
    metadata: [MetadataEntry]?, progress: @Sendable (Int) -> Void
  ) throws(Fault) {
    let folder = try OutputFolder(path: path, replacing: replacing)
    let texts = metadata ?? [MetadataEntry(key: "format", value: "pt")]
    for component in configuration.components {
      let prefix = configuration.prefix(of: component)
      let own = view.tensors.indices.compactMap { index in
        view.tensors[index].name.dropping(prefix: prefix).map { name in
          (index: index, info: view.tensors[index].renamed(name))
        }
      }
      if !prefix.isEmpty { _ = try folder.makeFolder(component.folder) }
      try SafeTensorsFile.write(
        SelectedSource(view, own),
        to: folder.temporaryPath + "/" + prefix + DiffusersConfiguration.fileName(of: component),
        metadata: texts, width: width, progress: progress)
    }
    for text in try configuration.texts() {
      if let slash = text.path.lastIndex(of: "/") {
        _ = try folder.makeFolder(String(text.path[..<slash]))
      }
      try folder.write(text.bytes, to: text.path)
    }
    try folder.commit()
  }
}

/// Copies every tensor of `source` to the same place in `sink`, and completes it.
private func copyAll(
  _ source: any TensorSource, to sink: some TensorSink, width: Int,
  progress: @Sendable (Int) -> Void
) throws(Fault) {
  func copy(_ source: some TensorSource) throws(Fault) {
    let pieces = source.pieces(of: Array(source.tensors.indices))
    try forEachIndex(
      below: pieces.count, width: width, local: { Buffer(byteCount: 1 << 20) }
    ) { (index, buffer: inout Buffer) throws(Fault) in
      try source.read(pieces[index], through: buffer) { (offset, bytes) throws(Fault) in
        try sink.write(pieces[index].tensor, at: offset, bytes: bytes)
        progress(bytes.byteCount)
      }
    }
  }
  try copy(source)
  try source.checkUnchanged()
  try sink.commit()
}
