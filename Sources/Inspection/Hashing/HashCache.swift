import Crypto
import Glibc
package import Tensors

extension InputFile {
  /// The SHA-256 of the whole file.
  package func sha256() throws(Fault) -> Digest {
    var hash = SHA256()
    try forEachChunk(in: 0..<byteCount) { _, bytes in hash.update(bytes) }
    try checkUnchanged()
    return Digest(hash)
  }

  /// The eight digits by which the first web UI knew the file, see ``FileHashes/autoV1``.
  package func autoV1() throws(Fault) -> String {
    var window = SHA256()
    let range = FileHashes.window.clamped(to: 0..<byteCount)
    window.update(data: try read(at: range.lowerBound, count: range.count))
    return Digest(window).hexadecimal(4)
  }
}

/// The SHA-256 of files that were hashed before and have not changed since.
///
/// Kept in `$XDG_CACHE_HOME/sdtool/sha256.tsv` (else `~/.cache`), a line for each file: device,
/// inode, size and time of the last change, then the hash. Hashing a model costs more than merging
/// it. What goes wrong with the cache is ignored: it is only a cache.
package struct HashCache {
  private let path: String?
  private var lines: [String: String] = [:]
  private var isChanged = false
  /// How many files are remembered.
  private static let maximumCount = 4096

  /// The user's cache; none if there is no home.
  package init(environment: (String) -> String?) {
    func folder(_ name: String) -> String? {
      environment(name).flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
    path =
      (folder("XDG_CACHE_HOME") ?? folder("HOME").map { $0 + "/.cache" })
      .map { $0 + "/sdtool/sha256.tsv" }
    guard let path, let file = try? InputFile(path: path), file.byteCount <= 1 << 20,
      let bytes = try? file.read(at: 0, count: file.byteCount)
    else { return }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: "\t")
      guard parts.count == 2, parts[1].utf8.count == 64 else { continue }
      lines[String(parts[0])] = String(parts[1])
    }
  }

  /// The hash of `file` if it is known; nothing is read.
  package func known(of file: InputFile) -> String? { lines[file.fingerprint] }

  /// The hashes of `files`, of which those that are not known are read, several at once.
  package mutating func sha256(
    of files: [InputFile], width: Int
  ) throws(Fault) -> [String] {
    let known = files.map { lines[$0.fingerprint] }
    let found = Results(repeating: "", count: files.count)
    try forEachIndex(below: files.count, width: width) { (index) throws(Fault) in
      found[index] = if let hash = known[index] { hash } else { "\(try files[index].sha256())" }
    }
    let hashes = found.values
    for (file, hash) in zip(files, hashes)
    where lines[file.fingerprint] == nil && file.isSettled {
      lines[file.fingerprint] = hash
      isChanged = true
    }
    return hashes
  }

  /// Writes the cache if anything was added.
  package func save() {
    guard isChanged, let path, let slash = path.lastIndex(of: "/") else { return }
    let folder = String(path[..<slash])
    if let parent = folder.lastIndex(of: "/") { unsafe _ = mkdir(String(folder[..<parent]), 0o700) }
    unsafe _ = mkdir(folder, 0o700)
    let kept = lines.count > Self.maximumCount ? [:] : lines
    let text = kept.sorted { $0.key < $1.key }.map { "\($0.key)\t\($0.value)\n" }.joined()
    let bytes = Array(text.utf8)
    guard let file = try? OutputFile(path: path, byteCount: bytes.count, replacing: true) else {
      return
    }
    do throws(Fault) {
      try unsafe file.write(bytes.span.bytes, at: 0)
      try file.commit()
    } catch { return }
  }
}
