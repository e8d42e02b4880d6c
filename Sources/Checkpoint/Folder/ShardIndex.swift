import JSON
import SafeTensors
import Tensors

/// The index of a sharded safetensors model: which file holds which tensor.
struct ShardIndex {
  let path: String
  let fileNames: [String]
  /// The position in ``fileNames`` of the shard of each tensor.
  let shards: [TensorName: Int]
  let totalByteCount: Int?

  /// Reads an index.
  init(_ file: InputFile) throws(Fault) {
    path = file.path
    let json = try JSONValue(reading: file)
    guard let map = json["weight_map"]?.object else {
      throw Fault(.invalidIndex, "has no 'weight_map' object", path: file.path)
    }
    var positions: [String: Int] = [:]
    var names: [String] = []
    var shards: [TensorName: Int] = [:]
    for member in map {
      guard let name = member.value.string, Self.isPlain(name) else {
        throw Fault(
          .invalidIndex, "names a shard that is not a plain file name", path: file.path,
          tensor: TensorName(member.key), found: member.value.string ?? "no text")
      }
      let position = positions[name] ?? names.count
      if position == names.count {
        positions[name] = position
        names.append(name)
      }
      shards[TensorName(member.key)] = position
    }
    guard !names.isEmpty else {
      throw Fault(.invalidIndex, "has a 'weight_map' without any tensor", path: file.path)
    }
    fileNames = names
    self.shards = shards
    totalByteCount = json["metadata"]?["total_size"]?.integer
  }

  private static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/"))
      && !name.utf8.contains(UInt8(ascii: "\\")) && !name.utf8.contains(0)
  }

  /// Opens the shards and checks index and shards against each other, both ways.
  func open(in folder: ModelFolder) throws(Fault) -> CompositeSource {
    var parts: [CompositeSource.Part] = []
    var findings: [Fault] = []
    var seen = 0
    var byteCount = 0
    for (position, name) in fileNames.enumerated() {
      guard folder.contains(name) else {
        throw Fault(
          .shardMissing, "names the shard '\(name)', which is not in the folder", path: path,
          hint: "the download is incomplete")
      }
      let shard = try SafeTensorsFile(folder.open(name))
      for tensor in shard.tensors {
        guard shards[tensor.name] == position else {
          throw Fault(
            .shardMismatch, "is in shard '\(name)'", path: path, tensor: tensor.name,
            expected: shards[tensor.name].map { "it in '\(fileNames[$0])', as the index says" }
              ?? "it in the index")
        }
        byteCount += tensor.byteCount
      }
      seen += shard.tensors.count
      parts.append(CompositeSource.Part(prefix: "", source: shard))
    }
    if seen < shards.count {
      let present = Set(parts.flatMap { $0.source.tensors.map(\.name) })
      let missing = shards.keys.filter { !present.contains($0) }.min()
      throw Fault(
        .shardMismatch, "is in the index but not in its shard", path: path, tensor: missing,
        expected: missing.flatMap { shards[$0] }.map { "it in '\(fileNames[$0])'" },
        hint: "\(shards.count - seen) such tensors; index and shards are of different versions")
    }
    if let totalByteCount, totalByteCount != byteCount {
      findings.append(
        Fault(
          .indexSize, "gives a total size that is not that of its shards", path: path,
          expected: "\(byteCount)", found: "\(totalByteCount)"))
    }
    return CompositeSource(
      path: path, container: .shardedSafetensors, parts: parts, findings: findings)
  }
}
