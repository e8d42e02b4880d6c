import Tensors

/// The lines of a text file in the folder `fixtures`.
func lines(ofFixture name: String, test: String = #filePath) throws -> [Substring] {
  let root = test.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
  let file = try InputFile(path: root.joined(separator: "/") + "/fixtures/" + name)
  let bytes = try file.read(at: 0, count: file.byteCount)
  return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
}
