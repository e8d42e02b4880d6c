import Checkpoint
import Tensors
import TestSupport

/// A place for one output that goes away with its owner.
struct TemporaryPath {
  private let folder = TemporaryFolder()

  /// Where the output goes; nothing is there yet.
  var path: String { folder.path("output.safetensors") }

  /// The names of everything in the folder of the output.
  var neighbours: [String] { folderEntries(of: folder.path) }

  /// The values of a tensor in the output.
  func bytes(of name: TensorName) throws -> [UInt8] {
    let source = try openModel(path: path)
    guard let index = source.indexByName()[name] else { return [] }
    return try source.bytes(of: index)
  }
}
