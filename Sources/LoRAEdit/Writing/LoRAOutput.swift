import Crypto
import SafeTensors
public import Tensors

/// A LoRA that is complete in memory, and its hashes.
///
///     let output = try LoRAOutput(tensors: tensors, metadata: texts)
///     try output.write(to: "sum.safetensors")
///     output.autoV3   // what A1111 and Civitai know it by
public struct LoRAOutput: Sendable {
  /// What will be in the file.
  public let tensors: [TensorInfo]
  /// All texts, with the hashes among them.
  public let metadata: [MetadataEntry]
  /// SHA-256 of the whole file, 64 digits.
  public let sha256: String
  /// SHA-256 of all that follows the header: `sshs_model_hash`.
  public let dataSHA256: String
  /// What programs before 2023 knew LoRAs by: `sshs_legacy_hash`.
  public let legacyHash: String
  /// The length of the file.
  public let byteCount: Int

  private let contents: [OutputTensor]

  /// The ten digits that A1111 and Civitai call AutoV2.
  public var autoV2: String { String(sha256.prefix(10)) }
  /// The twelve digits that A1111 gives a LoRA, whatever its header says.
  public var autoV3: String { String(dataSHA256.prefix(12)) }

  /// Computes header and hashes; `texts` need not have any hash.
  ///
  /// - Throws: what laying out throws, or ``Rule/loraNoDifference`` if there is no tensor.
  public init(tensors contents: [OutputTensor], texts: [MetadataEntry]) throws(Fault) {
    guard !contents.isEmpty else {
      throw Fault(
        .loraNoDifference, "would hold nothing", expected: "at least one module that changes")
    }
    self.contents = contents
    let tensors = contents.map(\.info)
    self.tensors = tensors
    let plain = texts.filter { !Self.isHash($0.key) }
    // The hashes of the format's first tool: over the data, and over a window of a file that has
    // only the texts of training.
    let training = plain.filter { $0.key.hasPrefix("ss_") }
    let old = try SafeTensorsLayout(tensors: tensors, metadata: training)
    let order = tensors.indices.sorted {
      (old.offsets[$0], tensors[$0].byteCount) < (old.offsets[$1], tensors[$1].byteCount)
    }
    var data = SHA256()
    for index in order { data.update(data: contents[index].bytes) }
    dataSHA256 = Self.hexadecimal(data.finalize())
    legacyHash = String(
      Self.hexadecimal(Self.window(0x100000..<0x110000, of: old, contents, order)).prefix(8))
    var metadata = plain
    metadata.append(MetadataEntry(key: "sshs_model_hash", value: dataSHA256))
    metadata.append(MetadataEntry(key: "sshs_legacy_hash", value: legacyHash))
    metadata.append(MetadataEntry(key: "modelspec.hash_sha256", value: "0x" + dataSHA256))
    self.metadata = metadata.sorted { TensorName($0.key) < TensorName($1.key) }
    let layout = try SafeTensorsLayout(tensors: tensors, metadata: self.metadata)
    byteCount = layout.byteCount
    var whole = SHA256()
    whole.update(data: layout.header)
    for index in order { whole.update(data: contents[index].bytes) }
    sha256 = Self.hexadecimal(whole.finalize())
  }

  /// Whether a text is a hash, which is computed anew.
  static func isHash(_ key: String) -> Bool {
    ["sshs_model_hash", "sshs_legacy_hash", "modelspec.hash_sha256"].contains(key)
  }

  /// Texts as long as the hashes that are added to all others.
  static let placeholders: [MetadataEntry] = [
    MetadataEntry(key: "sshs_model_hash", value: String(repeating: "0", count: 64)),
    MetadataEntry(key: "sshs_legacy_hash", value: "00000000"),
    MetadataEntry(key: "modelspec.hash_sha256", value: String(repeating: "0", count: 66)),
  ]

  /// The digest of a range of the file that `layout` describes.
  private static func window(
    _ range: Range<Int>, of layout: SafeTensorsLayout, _ contents: [OutputTensor], _ order: [Int]
  ) -> SHA256.Digest {
    var hash = SHA256()
    let header = range.clamped(to: 0..<layout.header.count)
    hash.update(data: layout.header[header])
    for index in order {
      let start = layout.offsets[index]
      let part = range.clamped(to: start..<start + contents[index].bytes.count)
      if !part.isEmpty {
        hash.update(data: contents[index].bytes[part.lowerBound - start..<part.upperBound - start])
      }
    }
    return hash.finalize()
  }

  private static func hexadecimal(_ digest: SHA256.Digest) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// Writes the file; nothing stands under `path` before it is complete.
  ///
  /// - Throws: what writing throws.
  public func write(to path: String, replacing: Bool = false) throws(Fault) {
    let writer = try SafeTensorsWriter(
      path: path, tensors: tensors, metadata: metadata, replacing: replacing)
    for (index, tensor) in contents.enumerated() {
      try unsafe writer.write(index, at: 0, bytes: tensor.bytes.span.bytes)
    }
    try writer.commit()
  }
}
