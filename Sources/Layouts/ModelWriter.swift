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
    let view = SelectedSource(source, arrangement.selection)
    switch layout {
    case .safetensors:
      try SafeTensorsFile.write(
        view, to: path, metadata: metadata, replacing: replacing, width: width, progress: progress)
    case .ckpt:
      let sink = try TorchZipWriter(path: path, tensors: view.tensors, replacing: replacing)
      try copy(view, to: sink, width: width, progress: progress)
    case .folder:
      let sink = try TorchFolderWriter(path: path, tensors: view.tensors, replacing: replacing)
      try copy(view, to: sink, width: width, progress: progress)
    case .diffusers:
      try writeFolder(view, identity, arrangement, to: path, progress: progress)
    }
    return arrangement
  }

  /// Writes one safetensors file for each component, and the configurations.
  private func writeFolder(
    _ view: SelectedSource, _ identity: ModelIdentity, _ arrangement: Arrangement,
    to path: String, progress: @Sendable (Int) -> Void
  ) throws(Fault) {
    guard identity.kind == .stableDiffusion1 else {
      throw Fault(
        .otherModel, "has no diffusers layout", severity: .error, path: view.path,
        expected: "a Stable Diffusion 1.x model", found: identity.title)
    }
    let folder = try OutputFolder(path: path, replacing: replacing)
    let components = identity.components.map(\.component)
    for component in components {
      let prefix = component.folder + "/"
      let own = view.tensors.indices.compactMap { index in
        view.tensors[index].name.dropping(prefix: prefix).map { name in
          (index: index, info: view.tensors[index].renamed(name))
        }
      }
      let file = try folder.makeFolder(component.folder)
        + "/" + (DiffusersConfiguration.fileNames[component.folder] ?? "model.safetensors")
      try SafeTensorsFile.write(
        SelectedSource(view, own), to: file,
        metadata: [MetadataEntry(key: "format", value: "pt")], width: width, progress: progress)
    }
    let configuration = DiffusersConfiguration(
      dimensions: identity.schema.dimensions, components: components)
    for text in try configuration.texts() {
      if let slash = text.path.lastIndex(of: "/") {
        _ = try folder.makeFolder(String(text.path[..<slash]))
      }
      try folder.write(text.bytes, to: text.path)
    }
    try folder.commit()
  }
}
