public import JSON
import StableDiffusion
import Tensors

extension ModelDifference {
  /// The difference for programs; `docs/json.md` describes every field.
  public var json: JSONValue {
    var object: JSONObject = ["a": a.json, "b": b.json, "identical": .bool(isIdentical)]
    object["total"] = .object(total.json)
    object["components"] = groups(Component.allCases, components, "component") { $0.rawValue }
    object["places"] = groups(Place.allCases, places, "place") { $0.description }
    object["roles"] = groups(Role.allCases, roles, "role") { $0.rawValue }
    object["place_roles"] = .array(
      placeRoles.keys.sorted().compactMap { key in
        placeRoles[key].map { group in
          var object = group.json
          object["place"] = .string(key.place.description)
          object["role"] = .string(key.role.rawValue)
          return .object(object)
        }
      })
    object["others"] = .object(others.json)
    object["tensors"] = .array(tensors.map { .object($0.json) })
    return .object(object)
  }

  private func groups<Key: Hashable>(
    _ keys: [Key], _ groups: [Key: DifferenceGroup], _ name: String, _ title: (Key) -> String
  ) -> JSONValue {
    .array(
      keys.compactMap { key in
        groups[key].map { group in
          .object(JSONObject([(name, .string(title(key)))] + group.json.map { ($0.key, $0.value) }))
        }
      })
  }
}

extension ThreeWayDifference {
  /// The differences for programs; `docs/json.md` describes every field.
  public var json: JSONValue {
    func cosines<Key: Hashable>(
      _ keys: [Key], _ changes: [Key: Changes], _ title: (Key) -> String
    ) -> JSONValue {
      .object(
        JSONObject(
          keys.compactMap { key in changes[key].map { (title(key), number($0.cosine)) } }))
    }
    return [
      "a": b.a.json, "b": b.b.json, "c": c.b.json,
      "differences": ["b": b.json, "c": c.json],
      "change_cosines": [
        "total": number(total.cosine),
        "components": cosines(Component.allCases, components) { $0.rawValue },
        "places": cosines(Place.allCases, places) { $0.description },
        "roles": cosines(Role.allCases, roles) { $0.rawValue },
        "tensors": cosines(b.tensors.map(\.name), tensors) { $0.string },
      ],
    ]
  }
}

/// A number, or `null` where there is none.
func number(_ value: Double?) -> JSONValue { value.map { .double($0) } ?? .null }

extension ComparedModel {
  /// What is said about a model.
  var json: JSONValue {
    [
      "path": .string(path), "title": .string(title), "kind": .string(kind.rawValue),
      "tensors": .integer(tensorCount), "bytes": .integer(byteCount),
    ]
  }
}

extension DifferenceMeasures {
  /// The measures as members of an object.
  var members: [(String, JSONValue)] {
    [
      ("values", .integer(valueCount)), ("changed_values", .integer(changedCount)),
      ("relative_l2", number(relativeL2)), ("rms", number(rootMeanSquare)),
      ("max_abs", .double(maximumDifference)), ("cosine", number(cosine)),
      ("norm_a", .double(squaresA.squareRoot())), ("norm_b", .double(squaresB.squareRoot())),
      ("norm_difference", .double(squaresOfDifference.squareRoot())),
      ("sign_flips", .integer(signFlipCount)), ("mean_ulp", number(meanULP)),
      ("max_ulp", maximumULP.flatMap { Int(exactly: $0) }.map { .integer($0) } ?? .null),
      ("nan_a", .integer(nanCountA)), ("nan_b", .integer(nanCountB)),
      ("infinite_a", .integer(infinityCountA)), ("infinite_b", .integer(infinityCountB)),
    ]
  }
}

extension DifferenceGroup {
  /// Counts and measures.
  var json: JSONObject {
    JSONObject(
      [("tensors", .integer(tensorCount))]
        + TensorDifference.Status.allCases.map { status in
          (
            String(status.rawValue.map { $0 == "-" ? "_" : $0 }),
            JSONValue.integer(self[status])
          )
        } + [("type_changes", .integer(typeChangeCount))] + measures.members)
  }
}

extension TensorDifference {
  /// All about one tensor.
  var json: JSONObject {
    func value(_ info: TensorInfo?) -> JSONValue {
      guard let info else { return .null }
      return [
        "name": .string(info.name.string), "dtype": .string(info.dtype.name),
        "shape": .array(info.shape.map { .integer($0) }),
      ]
    }
    var object: JSONObject = [
      "name": .string(name.string), "status": .string(status.rawValue),
      "place": place.map { .string($0.description) } ?? .null,
      "component": component.map { .string($0.rawValue) } ?? .null,
      "role": role.map { .string($0.rawValue) } ?? .null,
      "optional": .bool(isOptional), "a": value(a), "b": value(b),
    ]
    for (key, value) in measures?.members ?? [] { object[key] = value }
    return object
  }
}
