import Inspection
package import JSON
import Merge
package import Tensors

extension ModelReport {
  /// What is known about the model, for programs: the object of `sdtool inspect --json`, and more.
  package func json() throws(Fault) -> JSONValue {
    var object = model.json.object ?? JSONObject()
    object["findings"] = .array(findings.allFindings.map(\.jsonValue))
    object["sha256"] = .array(sha256.map { $0.map { .string($0) } ?? .null })
    object["recipe"] = recipe?.recipe.json
    object["tensor_list"] = .array(
      model.source.tensors.enumerated().map { index, tensor in
        var value: JSONObject = [
          "name": .string(tensor.name.string), "dtype": .string(tensor.dtype.name),
          "shape": .array(tensor.shape.map { .integer($0) }),
          "bytes": .integer(tensor.byteCount), "use": .string(model.use(of: index)),
        ]
        if let found = statistics?[index] {
          value["min"] = found.minimum.map { .double($0) } ?? .null
          value["max"] = found.maximum.map { .double($0) } ?? .null
          value["mean"] = found.mean.map { .double($0) } ?? .null
          value["std"] = found.standardDeviation.map { .double($0) } ?? .null
          value["nan"] = .integer(found.nanCount)
          value["inf"] = .integer(found.infinityCount)
        }
        return .object(value)
      })
    return .object(object)
  }
}
