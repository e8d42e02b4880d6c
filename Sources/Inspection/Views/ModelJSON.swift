package import JSON
import StableDiffusion
import Tensors

extension InspectedModel {
  /// What the model is, for programs; `docs/json.md` describes every field.
  package var json: JSONValue {
    var object: JSONObject = [
      "schema": "sdtool-model/1",
      "path": .string(source.path),
      "container": .string(source.container.rawValue),
      "kind": .string(identity.kind.rawValue),
      "title": .string(identity.title),
      "reason": .string(identity.reason),
      "complete": .bool(identity.isComplete),
      "file_bytes": .integer(fileByteCount),
      "tensor_bytes": .integer(tensorByteCount),
      "tensors": .integer(source.tensors.count),
      "files": .array(source.files.map { .string($0.path) }),
    ]
    object["variant"] = identity.variant.map { .string($0.rawValue) }
    object["layout"] = identity.layout.map { .string($0.title) }
    if identity.kind == .stableDiffusion1 {
      object["standard_widths"] = .bool(identity.hasStandardWidths)
      object["widths"] = .object(
        JSONObject(
          Dimensions.Width.allCases.map {
            ("\($0)", .integer(identity.schema.dimensions[$0]))
          }))
      object["components"] = .array(identity.components.map(\.json))
      object["places"] = .array(places.map(\.json))
      object["norms"] = .array(LayerCensus.norms(of: identity).map(\.json))
      object["layers"] = .array(LayerCensus.others(of: identity).map(\.json))
      object["running_statistics"] = .integer(identity.runningStatistics.count)
      object["ema_tensors"] = .integer(identity.averageCount)
      object["extras"] = .array(
        identity.extras.map { extra, tensors in
          [
            "id": .string(extra.id), "title": .string(extra.title),
            "pruned": .bool(extra.policy == .drop), "tensors": .integer(tensors.count),
          ]
        })
      object["unexpected"] = .array(
        identity.unexpected.map { .string(source.tensors[$0].name.string) })
    }
    if let adapter = identity.adapter {
      object["adapter"] = .array(adapter.families.map { .string($0.rawValue) })
    }
    object["metadata"] = .object(JSONObject(source.metadata.map { ($0.key, .string($0.value)) }))
    object["findings"] = .array((source.findings + identity.check()).map(\.jsonValue))
    return .object(object)
  }
}

extension ComponentSummary {
  fileprivate var json: JSONValue {
    [
      "component": .string(component.rawValue),
      "complete": .bool(isComplete),
      "expected": .integer(expectedCount),
      "present": .integer(presentCount),
      "missing": .integer(missing.count),
      "values": .integer(elementCount),
      "bytes": .integer(byteCount),
      "types": .object(JSONObject(types.map { ($0.dtype.name, .integer($0.tensorCount)) })),
    ]
  }
}

extension PlaceSummary {
  fileprivate var json: JSONValue {
    [
      "place": .string("\(place)"), "tensors": .integer(tensorCount),
      "values": .integer(elementCount), "bytes": .integer(byteCount),
    ]
  }
}

extension LayerCensus {
  fileprivate var json: JSONValue {
    ["operation": .string(operation), "count": .integer(count)]
  }
}
