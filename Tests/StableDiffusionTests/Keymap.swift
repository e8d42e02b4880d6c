import StableDiffusion
import Tensors

/// One row of `fixtures/sd15_keymap.tsv`, which comes from diffusers' own conversion.
struct KeymapRow: Sendable {
  let ldmName: String, component: Component, diffusersName: String
  let ldmShape: [Int], diffusersShape: [Int]

  /// All rows.
  static let all: [KeymapRow] = rows()

  /// The rows that are parameters: all but `position_ids`.
  static let parameters = all.filter { !$0.ldmName.hasSuffix("position_ids") }

  private static func rows() -> [KeymapRow] {
    table("sd15_keymap.tsv").compactMap { fields in
      guard fields.count == 5, let component = Component(name: fields[1]) else { return nil }
      return KeymapRow(
        ldmName: fields[0], component: component, diffusersName: fields[2],
        ldmShape: shape(fields[3]), diffusersShape: shape(fields[4]))
    }
  }
}

/// The fields of a table in `fixtures`, line by line; nothing if it cannot be read.
func table(_ name: String) -> [[String]] {
  let folder = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
  guard let file = try? InputFile(path: "/" + folder + "/fixtures/" + name),
    let bytes = try? file.read(at: 0, count: file.byteCount)
  else { return [] }
  return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
    $0.split(separator: "\t").map(String.init)
  }
}

/// The extents of a shape written `320x4x3x3`.
func shape(_ text: String) -> [Int] { text.split(separator: "x").compactMap { Int($0) } }
