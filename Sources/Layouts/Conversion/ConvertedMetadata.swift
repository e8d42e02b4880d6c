import StableDiffusion
public import Tensors

/// The texts of a model as they are written beside its tensors in another file.
struct ConvertedMetadata {
  /// What is written; `nil` for nothing at all.
  private(set) var entries: [MetadataEntry]?
  /// What is left out, and why.
  private(set) var dropped: [DroppedMetadata] = []
  /// The keys of what the model does not have.
  private(set) var added: [String] = []

  /// Texts that name a hash of the tensors, and would lie as soon as one byte differs.
  private static let hashes = ["sshs_model_hash", "sshs_legacy_hash", "modelspec.hash_sha256"]

  /// The texts for the output of `request`, where `isChanged` says whether any value, name or shape
  /// differs from the model's.
  init(_ source: any TensorSource, _ request: ConversionRequest, isChanged: Bool) {
    let texts = Self.unprefixed(source)
    let format = MetadataEntry(key: "format", value: "pt")
    guard request.keepsMetadata else {
      dropped = texts.filter { $0.key != format.key }
        .map { DroppedMetadata(entry: $0, reason: "--no-metadata") }
      entries = nil
      return
    }
    var kept: [MetadataEntry] = []
    for entry in texts {
      if isChanged, Self.hashes.contains(entry.key) {
        dropped.append(
          DroppedMetadata(entry: entry, reason: "states a hash that is no longer true"))
      } else if entry.key == "state_dict", [.ckpt, .legacy, .folder].contains(request.layout) {
        dropped.append(DroppedMetadata(entry: entry, reason: "is the name of the state dict"))
      } else {
        kept.append(entry)
      }
    }
    // Programs that open folders ask for this text, and PyTorch's own files get it by custom.
    let isNew = [.torchZip, .torchLegacy, .torchFolder].contains(source.container)
    if request.layout == .diffusers || request.layout == .safetensors && isNew,
      !kept.contains(where: { $0.key == format.key })
    {
      kept.append(format)
      added = [format.key]
    }
    entries = kept
  }

  /// The texts of `source`; those of a folder without the component before their keys where all
  /// components that have the key say the same.
  private static func unprefixed(_ source: any TensorSource) -> [MetadataEntry] {
    guard source.container == .diffusersFolder else { return source.metadata }
    let prefixes = Component.allCases.map { $0.folder + "/" }
    func bare(_ key: String) -> String {
      prefixes.first { key.hasPrefix($0) }.map { String(key.dropFirst($0.count)) } ?? key
    }
    var values: [TensorName: Set<TensorName>] = [:]
    for entry in source.metadata {
      values[TensorName(bare(entry.key)), default: []].insert(TensorName(entry.value))
    }
    var seen: Set<TensorName> = []
    return source.metadata.compactMap { entry in
      let key = bare(entry.key)
      guard values[TensorName(key)]?.count == 1 else { return entry }
      guard seen.insert(TensorName(key)).inserted else { return nil }
      return MetadataEntry(key: key, value: entry.value)
    }
  }
}

/// A text that is not in the output.
public struct DroppedMetadata: Sendable {
  /// The text.
  public let entry: MetadataEntry
  /// Why it is left out.
  public let reason: String
}
