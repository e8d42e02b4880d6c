import Checkpoint
public import SafeTensors
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
  /// In which order the tensors of a single safetensors file lie.
  public var order = SafeTensorsLayout.Order.canonical
  /// What sees the bytes of a single safetensors file in their order, while they are written.
  public var observers: [OutputFile.Observer] = []

  /// A writer for `layout`.
  public init(layout: OutputLayout) { self.layout = layout }

  /// Writes `source`, renamed and reshaped as the layout asks.
  ///
  /// - Parameters:
  ///   - source: the model; its values may be computed as they are asked for.
  ///   - path: the file or folder to make.
  ///   - metadata: the texts to write beside the tensors, where the layout has room for them.
  ///   - progress: called with the number of bytes written since the last call, from any thread.
  ///   - finalMetadata: called before the output gets its name, for texts that are not known when
  ///     writing begins; `metadata` holds texts of the same length in their place.
  /// - Returns: how the tensors were arranged, and which have no place in the layout.
  /// - Throws: what reading and writing throw; then nothing stands under `path`.
  @discardableResult
  public func write(
    _ source: any TensorSource, to path: String, metadata: [MetadataEntry]? = nil,
    progress: @Sendable (Int) -> Void = { _ in },
    finalMetadata: (() throws(Fault) -> [MetadataEntry])? = nil
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
      predictsVelocity: PredictionType.isVelocity(source.metadata + (metadata ?? [])),
      progress: progress, finalMetadata: finalMetadata)
    return arrangement
  }

  /// Writes `view`, whose names and shapes are those of the layout already.
  func write(
    arranged view: any TensorSource, dimensions: Dimensions, components: [Component],
    alone: Component?, to path: String, metadata: [MetadataEntry]?, isNested: Bool,
    predictsVelocity: Bool, texts: [(path: String, bytes: [UInt8])] = [],
    progress: @Sendable (Int) -> Void,
    finalMetadata: (() throws(Fault) -> [MetadataEntry])? = nil
  ) throws(Fault) {
    if layout == .safetensors {
      return try SafeTensorsFile.write(
        view, to: path, metadata: metadata, order: order, replacing: replacing, width: width,
        observers: observers, progress: progress, finalMetadata: finalMetadata)
    }
    // Only the header of a single file can be mended after all else is written.
    let metadata = if let finalMetadata { try finalMetadata() } else { metadata }
    switch layout {
    case .safetensors: break
    case .ckpt:
      let sink = try TorchZipWriter(
        path: path, tensors: view.tensors, metadata: metadata ?? [], isNested: isNested,
        replacing: replacing)
      try copy(view, to: sink, width: width, progress: progress)
    case .legacy:
      let sink = try TorchLegacyWriter(
        path: path, tensors: view.tensors, metadata: metadata ?? [], isNested: isNested,
        replacing: replacing)
      try copy(view, to: sink, width: width, progress: progress)
    case .folder:
      let sink = try TorchFolderWriter(
        path: path, tensors: view.tensors, metadata: metadata ?? [], isNested: isNested,
        replacing: replacing)
      try copy(view, to: sink, width: width, progress: progress)
    case .diffusers:
      let configuration = DiffusersConfiguration(
        dimensions: dimensions, components: components, isAlone: alone != nil,
        predictsVelocity: predictsVelocity)
      try writeFolder(
        view, configuration, texts, to: path, metadata: metadata, progress: progress)
    }
  }

  /// Writes one safetensors file for each component, and the configurations; files of the model's
  /// scheduler and tokenizer, if it has `own` ones, in place of the usual ones.
  private func writeFolder(
    _ view: any TensorSource, _ configuration: DiffusersConfiguration,
    _ own: [(path: String, bytes: [UInt8])], to path: String, metadata: [MetadataEntry]?,
    progress: @Sendable (Int) -> Void
  ) throws(Fault) {
    let folder = try OutputFolder(path: path, replacing: replacing)
    let entries = metadata ?? [MetadataEntry(key: "format", value: "pt")]
    for component in configuration.components {
      let prefix = configuration.prefix(of: component)
      let selection = view.tensors.indices.compactMap { index in
        view.tensors[index].name.dropping(prefix: prefix).map { name in
          (index: index, info: view.tensors[index].renamed(name))
        }
      }
      if !prefix.isEmpty { _ = try folder.makeFolder(component.folder) }
      try SafeTensorsFile.write(
        SelectedSource(view, selection),
        to: folder.temporaryPath + "/" + prefix + DiffusersConfiguration.fileName(of: component),
        metadata: entries, width: width, progress: progress)
    }
    // What the model brings is not mixed with files of the same folder that it does not bring.
    let folders = Set(own.map { $0.path.prefix { $0 != "/" } })
    let made = try configuration.texts().filter { !folders.contains($0.path.prefix { $0 != "/" }) }
    for text in made + own {
      if let slash = text.path.lastIndex(of: "/") {
        _ = try folder.makeFolder(String(text.path[..<slash]))
      }
      try folder.write(text.bytes, to: text.path)
    }
    try folder.commit()
  }
}
