import Crypto
import SafeTensors
public import Tensors

/// A hash that a file states about itself, beside the one that its tensors have.
///
/// Web UIs trust such texts, so that a LoRA can pose as another.
public struct HashClaim: Hashable, Sendable {
  /// The key in the metadata.
  public let key: String
  /// What the file says.
  public let claimed: String
  /// What the tensors say.
  public let computed: String

  /// Whether both agree.
  public var isTrue: Bool { claimed.lowercased() == computed }
}

extension TensorSource {
  /// Recomputes the hashes that the metadata states: `sshs_model_hash`, `sshs_legacy_hash` and
  /// `modelspec.hash_sha256`.
  ///
  /// Reads the tensors once if any is stated; a `sshs_legacy_hash` alone needs 64 KiB.
  ///
  /// Source: kohya-ss/sd-scripts, `train_util.precalculate_safetensors_hashes`: the tensors are
  /// written anew with those texts only that begin with `ss_`.
  ///
  /// - Parameter known: the file's hashes, when they were computed before: if its tensors lie in
  ///   the order of the reference serializer, nothing is read twice.
  /// - Returns: one entry for each of the three that is stated, sorted by key.
  /// - Throws: when the tensors cannot be read.
  public func hashClaims(known: FileHashes? = nil) throws(Fault) -> [HashClaim] {
    let texts = Dictionary(metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { a, _ in a })
    let stated = ["modelspec.hash_sha256", "sshs_legacy_hash", "sshs_model_hash"].filter {
      texts[$0] != nil
    }
    guard !stated.isEmpty else { return [] }
    let layout = try SafeTensorsLayout(
      tensors: tensors, metadata: metadata.filter { $0.key.hasPrefix("ss_") })
    let order = tensors.indices.sorted { layout.offsets[$0] < layout.offsets[$1] }
    var claims: [HashClaim] = []
    var data: Digest?
    for key in stated {
      let computed: String
      if key == "sshs_legacy_hash" {
        // Beyond 1 MiB, the header is in the window, and its metadata had no defined order.
        guard layout.header.count <= FileHashes.window.lowerBound else { continue }
        computed = try windowHash(of: layout).hexadecimal(4)
      } else {
        let isInOrder = self is SafeTensorsFile && order.elementsEqual(tensors.indices)
        var digest = data ?? (isInOrder ? known?.dataSHA256 : nil)
        if digest == nil { digest = try dataHash(in: order) }
        guard let digest else { continue }
        data = digest
        computed = key == "sshs_model_hash" ? "\(digest)" : "0x\(digest)"
      }
      claims.append(HashClaim(key: key, claimed: texts[key] ?? "", computed: computed))
    }
    return claims
  }

  /// SHA-256 of all values, tensor after tensor.
  private func dataHash(in order: [Int]) throws(Fault) -> Digest {
    var hash = SHA256()
    let buffer = Buffer(byteCount: Self.pieceByteCount)
    for index in order {
      try read(whole: index, through: buffer) { _, bytes in hash.update(bytes) }
    }
    return Digest(hash)
  }

  /// SHA-256 of the window that the first web UI hashed, in a file laid out so.
  private func windowHash(of layout: SafeTensorsLayout) throws(Fault) -> Digest {
    let window = FileHashes.window.clamped(to: 0..<layout.byteCount)
    var bytes = [UInt8](repeating: 0, count: window.count)
    for (index, tensor) in tensors.enumerated() {
      let start = layout.offsets[index]
      let common = (start..<start + tensor.byteCount).clamped(to: window)
      guard !common.isEmpty else { continue }
      var span = bytes.mutableSpan
      var raw = unsafe span.mutableBytes
      var part = raw._mutatingExtracting(
        common.lowerBound - window.lowerBound..<common.upperBound - window.lowerBound)
      try read(index, at: common.lowerBound - start, into: &part)
    }
    var hash = SHA256()
    hash.update(data: bytes)
    return Digest(hash)
  }
}
