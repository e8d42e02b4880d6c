import Checkpoint
import Crypto
import SafeTensors
import Tensors

/// Compares the hashes that a file states about itself with its contents.
///
/// `sshs_model_hash` is the SHA-256 of everything behind the header, as kohya's scripts write it;
/// programs show a LoRA under it without looking. Only a file that states one is read for it.
///
/// - Parameter source: the model.
/// - Returns: a finding if the stated hash is not that of the contents.
/// - Throws: what reading throws.
func checkHashes(of source: any TensorSource) throws(Fault) -> [Fault] {
  guard let file = source as? SafeTensorsFile,
    let claim = source.metadata.first(where: { $0.key == "sshs_model_hash" })
  else { return [] }
  let start = file.dataOffset
  let total = file.file.byteCount - start
  var hash = SHA256()
  let buffer = Buffer(byteCount: 1 << 20)
  var done = 0
  while done < total {
    let count = min(buffer.byteCount, total - done)
    var bytes = buffer.bytes(count)
    try file.file.read(at: start + done, into: &bytes)
    unsafe bytes.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
    done += count
  }
  let digits = hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  let stated = claim.value.lowercased()
  guard stated != digits, stated != "0x" + digits else { return [] }
  return [
    Fault(
      .falseHash, "states a hash in its metadata (sshs_model_hash) that its contents do not have",
      path: source.path, expected: digits, found: claim.value,
      hint: "the file was edited after the hash was made, or the hash was copied from elsewhere")
  ]
}
