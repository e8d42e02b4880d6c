import Checkpoint
import Crypto
import JSON
import Tensors
import TestSupport

/// One checkpoint that PyTorch wrote, and what PyTorch reads from it.
struct TorchFile: CustomStringConvertible, Sendable {
  struct Tensor: Equatable, Sendable {
    let name: String, dtype: String, shape: [Int], sha256: String
  }
  let name: String
  let tensors: [Tensor]
  let metadata: [MetadataEntry]
  /// How many tensors belong to the state of a training.
  let trainingStateCount: Int
  /// How many groups of tensors share a storage.
  let sharedCount: Int

  var path: String { Fixtures.path("torch/files/" + name) }
  var description: String { name }

  /// All files listed in `fixtures/torch/expected.json`.
  static let all: [TorchFile] = {
    let json = try? JSONValue(parsing: contents(of: Fixtures.path("torch/expected.json")))
    guard let members = json?.object else { return [] }
    return members.map { member in
      TorchFile(
        name: member.key,
        tensors: (member.value["tensors"]?.array ?? []).map { tensor in
          Tensor(
            name: tensor["name"]?.string ?? "", dtype: tensor["dtype"]?.string ?? "",
            shape: (tensor["shape"]?.array ?? []).compactMap(\.integer),
            sha256: tensor["sha256"]?.string ?? "")
        },
        metadata: (member.value["metadata"]?.array ?? []).compactMap { pair in
          guard let key = pair.array?.first?.string, let value = pair.array?.last?.string else {
            return nil
          }
          return MetadataEntry(key: key, value: value)
        },
        trainingStateCount: member.value["trainingState"]?.integer ?? 0,
        sharedCount: member.value["shared"]?.integer ?? 0)
    }
  }()
}

/// What a source holds, in the form of ``TorchFile/tensors``.
func read(_ source: any TensorSource) throws -> [TorchFile.Tensor] {
  try source.tensors.indices.map { index in
    let tensor = source.tensors[index]
    let digest = SHA256.hash(data: try source.bytes(of: index))
    return TorchFile.Tensor(
      name: tensor.name.string, dtype: tensor.dtype.name, shape: tensor.shape,
      sha256: digest.map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
      }.joined())
  }
}

/// Writes all tensors of `source` in pieces of `pieceSize` bytes; backwards, if asked.
func copy(
  _ source: any TensorSource, to sink: any TensorSink, pieceSize: Int, backwards: Bool = false
) throws {
  for index in source.tensors.indices {
    let bytes = try source.bytes(of: index)
    let starts = Array(stride(from: 0, to: bytes.count, by: pieceSize))
    for start in backwards ? starts.reversed() : starts {
      let piece = Array(bytes[start..<min(bytes.count, start + pieceSize)])
      try unsafe sink.write(index, at: start, bytes: piece.span.bytes)
    }
  }
  try sink.commit()
}
