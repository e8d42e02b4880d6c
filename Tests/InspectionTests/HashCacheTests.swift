import Glibc
import Inspection
import Tensors
import TestSupport
import Testing

@Suite("Hashes that are remembered")
struct HashCacheTests {
  private let folder = TemporaryFolder()

  private func cache() -> HashCache {
    let home = folder.path("cache")
    return HashCache { $0 == "XDG_CACHE_HOME" ? home : nil }
  }

  /// A file that was last changed a day ago.
  private func file(_ text: String) -> String {
    let path = folder.write(Array(text.utf8), to: "file")
    age(path, by: 86_400)
    return path
  }

  private func age(_ path: String, by seconds: Int) {
    let past = timespec(tv_sec: time(nil) - seconds, tv_nsec: 0)
    unsafe _ = utimensat(AT_FDCWD, path, [past, past], 0)
  }

  private static let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

  @Test("a hash is computed once, and found by the next program")
  func remembered() throws {
    let path = file("abc")
    var first = cache()
    #expect(try first.sha256(of: [InputFile(path: path)], width: 1) == [Self.abc])
    first.save()
    let text = String(decoding: contents(of: folder.path("cache/sdtool/sha256.tsv")), as: UTF8.self)
    let parts = text.split(whereSeparator: \.isWhitespace)
    try #require(parts.last.map(String.init) == Self.abc)
    // What the cache says is believed: the file is not read again.
    let forged = text.replacing(Self.abc, with: String(repeating: "0", count: 64))
    _ = folder.write(Array(forged.utf8), to: "cache/sdtool/sha256.tsv")
    var second = cache()
    #expect(
      try second.sha256(of: [InputFile(path: path)], width: 1)
        == [String(repeating: "0", count: 64)])
  }

  @Test("a file that changed is read again, whatever changed about it")
  func changed() throws {
    let path = file("abc")
    var first = cache()
    _ = try first.sha256(of: [InputFile(path: path)], width: 1)
    first.save()
    // The same size, and another time.
    _ = folder.write(Array("abd".utf8), to: "file")
    age(path, by: 80_000)
    var second = cache()
    #expect(try second.sha256(of: [InputFile(path: path)], width: 1) != [Self.abc])
    // The same size and time as at first, but another file under that name.
    second.save()
    _ = folder.write(Array("xyz".utf8), to: "other")
    unsafe _ = rename(folder.path("other"), path)
    age(path, by: 80_000)
    var third = cache()
    let hash = try third.sha256(of: [InputFile(path: path)], width: 1)[0]
    #expect(hash.hasPrefix("3608bca1e44ea6c4d268eb6db02260269892c0b42b86bbf1e77a6fa16c3c9282"))
  }

  @Test("a file that was changed just now is not remembered: it may change again in the same tick")
  func fresh() throws {
    let path = folder.write([1, 2, 3], to: "new")
    var first = cache()
    _ = try first.sha256(of: [InputFile(path: path)], width: 1)
    first.save()
    #expect(contents(of: folder.path("cache/sdtool/sha256.tsv")).isEmpty)
  }

  @Test(
    "a damaged cache, or none, changes nothing but the time it takes",
    arguments: ["", "x", "\t\t\t\n\n", "a\tb\n", String(repeating: "é", count: 1 << 20)])
  func damaged(text: String) throws {
    let path = file("abc")
    unsafe _ = mkdir(folder.path("cache"), 0o700)
    unsafe _ = mkdir(folder.path("cache/sdtool"), 0o700)
    _ = folder.write(Array(text.utf8), to: "cache/sdtool/sha256.tsv")
    var damaged = cache()
    #expect(try damaged.sha256(of: [InputFile(path: path)], width: 2) == [Self.abc])
    var none = HashCache { _ in nil }
    #expect(try none.sha256(of: [InputFile(path: path)], width: 2) == [Self.abc])
    none.save()
  }

  @Test("several files are one model by their paths below its folder and their hashes")
  func severalFiles() throws {
    let first = folder.write(Array("abc".utf8), to: "a.bin")
    let source = FilesOnly(path: folder.path, files: [try InputFile(path: first)])
    // printf 'a.bin\0%s\n' ba78…15ad | sha256sum
    #expect(
      modelSHA256(of: source, files: [Self.abc])
        == "20ac0344bbea46301e4c18a777c6af62258e63e16bf4b35701ae1ddde8a4b6f1")
    let alone = FilesOnly(path: first, files: source.files)
    #expect(modelSHA256(of: alone, files: [Self.abc]) == Self.abc)
    #expect(modelSHA256(of: FilesOnly(path: "x", files: []), files: []) == nil)
  }
}

/// A model of files that nobody reads.
private struct FilesOnly: TensorSource {
  var path: String
  var files: [InputFile]
  var container: Container { .diffusersFolder }
  var tensors: [TensorInfo] { [] }
  var metadata: [MetadataEntry] { [] }
  var findings: [Fault] { [] }

  func extent(of index: Int) -> FileExtent? { nil }
  func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {}
}
