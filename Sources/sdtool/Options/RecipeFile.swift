import Merge
import Tensors

extension Recipe {
  /// The recipe in the file at `path`; the paths in it are relative to it.
  init(path: String, presets: PresetLibrary) throws(Fault) {
    let file = try InputFile(path: path)
    do throws(Fault) {
      let bytes = try file.read(at: 0, count: min(file.byteCount, 2 << 20))
      try self.init(yaml: String(decoding: bytes, as: UTF8.self), presets: presets)
    } catch { throw error.at(path) }
    let slash = path.lastIndex(of: "/")
    for index in models.indices {
      guard let own = models[index].path, !own.hasPrefix("/"), let slash else { continue }
      models[index].path = path[...slash] + own
    }
  }
}
