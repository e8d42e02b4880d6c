import JSON
import Tensors

/// Opens folders that hold models: diffusers pipelines, single components, unpacked checkpoints.
enum DiffusersFolder {
  /// Opens what the folder at `path` holds.
  static func open(path: String, variant: String?) throws(Fault) -> any TensorSource {
    let folder = try ModelFolder(path: path)
    if let unpacked = try TorchFolderSource.open(folder) { return unpacked }
    var findings: [Fault] = []
    // A component's own folder: its weights lie directly in it.
    if let source = try openComponent(folder, variant: variant, &findings) {
      return CompositeSource(
        path: folder.path, container: source.container,
        parts: [CompositeSource.Part(prefix: "", source: source)], findings: findings)
    }
    let components = folder.entries().filter { name in
      folder.isFolder(name) && !WeightsFile.all(in: folder.folder(name)).isEmpty
    }
    guard !components.isEmpty else {
      throw Fault(
        .noModelInFolder, "holds no model", path: folder.path,
        hint: "expected model_index.json with unet/, vae/, text_encoder/, or data.pkl with data/")
    }
    try checkIndex(of: folder, components: components, &findings)
    var parts: [CompositeSource.Part] = []
    for name in components {
      let part = folder.folder(name)
      guard let source = try openComponent(part, variant: variant, &findings) else { continue }
      parts.append(CompositeSource.Part(prefix: name + "/", source: source))
    }
    return CompositeSource(
      path: folder.path, container: .diffusersFolder, parts: parts, findings: findings)
  }

  /// Whether the folder at `path` is one model, rather than a folder of models.
  static func isModel(path: String) -> Bool {
    guard let folder = try? ModelFolder(path: path) else { return false }
    return folder.contains("model_index.json") || TorchFolderSource.isUnpacked(folder)
      || !WeightsFile.all(in: folder).isEmpty
      || ["unet", "vae", "text_encoder"].contains { name in
        folder.isFolder(name) && !WeightsFile.all(in: folder.folder(name)).isEmpty
      }
  }

  private static func openComponent(
    _ folder: ModelFolder, variant: String?, _ findings: inout [Fault]
  ) throws(Fault) -> (any TensorSource)? {
    var candidates = WeightsFile.all(in: folder)
    if let variant {
      // Like diffusers: a component without that variant uses its plain file.
      let matching = candidates.filter { $0.variant == variant }
      if !matching.isEmpty { candidates = matching }
    }
    guard let chosen = candidates.first else { return nil }
    if let used = chosen.variant, variant == nil {
      findings.append(
        Fault(
          .variantUsed, "is read from the variant '\(used)'; there is no plain file",
          path: folder.path + "/" + chosen.name))
    }
    if candidates.count > 1 {
      let others = candidates.dropFirst().map(\.name).joined(separator: ", ")
      findings.append(
        Fault(
          .severalFormats, "is read; not read: \(others)", path: folder.path + "/" + chosen.name))
    }
    if folder.contains("config.json") {
      let config = try JSONValue(reading: folder.open("config.json"))
      if config["auto_map"] != nil {
        findings.append(
          Fault(
            .customCode, "names Python code in the folder (auto_map)",
            path: folder.path + "/config.json"))
      }
    }
    return try chosen.open(in: folder)
  }

  /// Checks `model_index.json`: every component it lists has weights, none asks for custom code.
  private static func checkIndex(
    of folder: ModelFolder, components: [String], _ findings: inout [Fault]
  ) throws(Fault) {
    let name = "model_index.json"
    guard folder.contains(name) else { return }
    let path = folder.path + "/" + name
    let index = try JSONValue(reading: folder.open(name))
    guard let object = index.object else {
      throw Fault(.jsonSyntax, "is not a JSON object", path: path)
    }
    let libraries = ["diffusers", "transformers", "stable_diffusion", "onnx", "optimum"]
    for member in object {
      if member.key == "_class_name", member.value.array != nil {
        findings.append(
          Fault(.customCode, "names its pipeline class in Python code of the folder", path: path))
      }
      guard let pair = member.value.array, pair.count == 2, let library = pair[0].string else {
        continue
      }
      if !libraries.contains(library), !member.key.hasPrefix("_") {
        findings.append(
          Fault(
            .customCode, "takes '\(member.key)' from the module '\(library)'", path: path))
      }
      let needsWeights = ["unet", "vae", "text_encoder", "text_encoder_2", "transformer"]
      if needsWeights.contains(member.key), !components.contains(member.key) {
        findings.append(
          Fault(.componentMissing, "lists '\(member.key)', which has no weights", path: path))
      }
    }
  }
}

extension JSONValue {
  /// Reads a configuration or index file.
  ///
  /// - Throws: ``Rule/jsonTooLarge`` above 64 MiB, so that no file can fill the memory.
  init(reading file: InputFile) throws(Fault) {
    guard file.byteCount <= 64 << 20 else {
      throw Fault(
        .jsonTooLarge, "is too large for a configuration or index", path: file.path,
        expected: "at most 64 MiB", found: "\(file.byteCount) bytes")
    }
    do throws(Fault) {
      try self.init(parsing: file.read(at: 0, count: file.byteCount))
    } catch { throw error.at(file.path) }
  }
}
