import JSON
import TestSupport

/// One file that the reference serializer wrote, and what is in it.
struct ReferenceFile {
  struct Tensor {
    let name: String, dtype: String, shape: [Int], sha256: String
  }
  let path: String
  let metadata: [String: String]?
  let tensors: [Tensor]

  /// All files listed in `fixtures/safetensors/expected.json`.
  static func all() throws -> [ReferenceFile] {
    let json = try JSONValue(parsing: contents(of: Fixtures.path("safetensors/expected.json")))
    return (json.array ?? []).map { file in
      ReferenceFile(
        path: Fixtures.path("safetensors/\(file["file"]?.string ?? "")"),
        metadata: file["metadata"]?.object.map { object in
          Dictionary(uniqueKeysWithValues: object.map { ($0.key, $0.value.string ?? "") })
        },
        tensors: (file["tensors"]?.array ?? []).map { tensor in
          Tensor(
            name: tensor["name"]?.string ?? "", dtype: tensor["dtype"]?.string ?? "",
            shape: (tensor["shape"]?.array ?? []).compactMap(\.integer),
            sha256: tensor["sha256"]?.string ?? "")
        })
    }
  }
}
