import Crypto
public import Tensors

/// The SHA-256 by which a model is known, whether it lies in one file or in several.
///
/// Of one file it is the SHA-256 of the file. Of several it is the SHA-256 over one line for each
/// file, sorted by the bytes of the paths: the path below the model's folder, a zero byte, the
/// file's SHA-256 in 64 lower-case hexadecimal digits, and a newline. Where the folder lies and
/// what it is called makes no difference. Configurations and vocabularies do not count.
///
/// - Parameters:
///   - source: the model.
///   - hashes: the SHA-256 of each of its files, in order.
/// - Returns: 64 lower-case hexadecimal digits; `nil` for a model that lies in no file.
public func modelSHA256(of source: some TensorSource, files hashes: [String]) -> String? {
  let files = source.files
  guard hashes.count == files.count, let first = hashes.first else { return nil }
  // An unpacked checkpoint may hold a single file, and is still a folder.
  if files.count == 1, files[0].path == source.path { return first }
  var folder = source.path
  while folder.hasSuffix("/") { folder.removeLast() }
  folder += "/"
  // Shards may have been opened by their index, which lies beside them.
  if !files.allSatisfy({ $0.path.utf8.starts(with: folder.utf8) }) {
    folder = source.path.lastIndex(of: "/").map { String(source.path[...$0]) } ?? ""
  }
  var hash = SHA256()
  for (name, digest) in zip(files.map { below(folder, $0.path) }, hashes)
    .sorted(by: { ($0.0, $0.1) < ($1.0, $1.1) })
  {
    hash.update(data: Array("\(name)\0\(digest)\n".utf8))
  }
  return "\(Digest(hash))"
}

/// `path` without `folder` before it, as bytes compare.
private func below(_ folder: String, _ path: String) -> TensorName {
  var bytes = path.utf8[...]
  if bytes.starts(with: folder.utf8) { bytes = bytes.dropFirst(folder.utf8.count) }
  while bytes.first == UInt8(ascii: "/") { bytes = bytes.dropFirst() }
  return TensorName(String(Substring(bytes)))
}
