import Inspection
import StableDiffusion
import Tensors

/// What is shown of a difference, before it is set as text or Markdown.
struct DifferenceTables {
  /// One table.
  struct Table {
    let title: String
    /// The heading of the first column.
    let subject: String
    var rows: [Row]
  }

  /// One line of a table.
  struct Row {
    let name: String
    /// The tensor's place, in a list of tensors.
    var place = ""
    /// The tensors: how many differ, of how many.
    var changed: (count: Int, of: Int)?
    /// The measures against each of the other models.
    var measures: [DifferenceMeasures?]
    /// The cosine of the two changes.
    var changeCosine: Double?
  }

  let differences: [ModelDifference]
  let changes: ThreeWayDifference?

  init(_ difference: ModelDifference) {
    differences = [difference]
    changes = nil
  }

  init(_ both: ThreeWayDifference) {
    differences = [both.b, both.c]
    changes = both
  }

  /// Components, places, roles, and the tensors that differ most.
  func tables(top: Int) -> [Table] {
    func rows<Key: Hashable>(
      _ keys: [Key], _ groups: (ModelDifference) -> [Key: DifferenceGroup],
      _ changes: [Key: ThreeWayDifference.Changes]?, _ title: (Key) -> String
    ) -> [Row] {
      keys.compactMap { key in
        let found = differences.map { groups($0)[key] }
        guard found.contains(where: { $0 != nil }) else { return nil }
        return Row(
          name: title(key), changed: Self.count(found), measures: found.map { $0?.measures },
          changeCosine: changes?[key]?.cosine)
      }
    }
    var tables = [
      Table(
        title: "Components", subject: "component",
        rows: rows(Component.allCases, \.components, changes?.components) { $0.title }),
      Table(
        title: "Merge places", subject: "place",
        rows: rows(Place.allCases, \.places, changes?.places) { $0.description }),
      Table(
        title: "Layers", subject: "layer",
        rows: rows(Role.allCases, \.roles, changes?.roles) { $0.className }),
    ]
    tables.append(mostChanged(top))
    return tables.filter { !$0.rows.isEmpty }
  }

  private static func count(_ groups: [DifferenceGroup?]) -> (count: Int, of: Int) {
    let found = groups.compactMap(\.self)
    return (
      found.map { $0.tensorCount - $0[.identical] - $0[.equal] }.max() ?? 0,
      found.map(\.tensorCount).max() ?? 0
    )
  }

  private func mostChanged(_ count: Int) -> Table {
    guard let first = differences.first else {
      return Table(title: "", subject: "", rows: [])
    }
    var names = first.mostChanged(count).map(\.name)
    for other in differences.dropFirst() {
      for tensor in other.mostChanged(count) where !names.contains(tensor.name) {
        names.append(tensor.name)
      }
    }
    let byName = differences.map { difference in
      Dictionary(difference.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }
    return Table(
      title: "Tensors that differ most", subject: "tensor",
      rows: names.map { name in
        Row(
          name: name.string, place: byName[0][name]?.place?.description ?? "",
          measures: byName.map { $0[name]?.measures }, changeCosine: changes?.tensors[name]?.cosine)
      })
  }

  /// What changed beside the values: types, shapes, names, tensors that only one model has.
  func remarks(of difference: ModelDifference, limit: Int) -> [(title: String, names: [String])] {
    // What is only written in another way needs no examples.
    func list(
      _ title: String, _ wanted: (TensorDifference) -> Bool, showing most: Int = .max,
      _ text: (TensorDifference) -> String = { $0.name.string }
    ) -> (title: String, names: [String])? {
      let found = difference.tensors.filter(wanted)
      guard !found.isEmpty else { return nil }
      let shown = min(most, limit)
      let more =
        found.count > shown && shown > 0
        ? ["… and \(Written.count(found.count - shown)) more"] : []
      return (
        "\(title): \(Written.count(found.count, "tensor"))", found.prefix(shown).map(text) + more
      )
    }
    func nonFinite(_ tensor: TensorDifference) -> Bool {
      (tensor.measures?.nonFiniteCount ?? 0) > 0
    }
    return [
      list("only in A", { $0.status == .onlyInA }),
      list("only in B", { $0.status == .onlyInB }),
      list("of another shape", { $0.status == .misshapen }) {
        "\($0.name) \(Self.shape($0.a)) → \(Self.shape($0.b))"
      },
      list("with NaN or infinities", nonFinite) { tensor in
        let found = tensor.measures ?? DifferenceMeasures()
        return
          "\(tensor.name): NaN \(found.nanCountA) → \(found.nanCountB), infinite \(found.infinityCountA) → \(found.infinityCountB)"
      },
      list("of another type", \.changesType) {
        "\($0.name) \($0.a?.dtype.name ?? "") → \($0.b?.dtype.name ?? "")"
      },
      list(
        "with other axes", { $0.changesShape && $0.status != .misshapen }, showing: 1,
        { "\($0.name) \(Self.shape($0.a)) → \(Self.shape($0.b))" }),
      list(
        "under another name", \.isRenamed, showing: 0,
        { "\($0.a?.name.string ?? "") → \($0.b?.name.string ?? "")" }),
    ].compactMap(\.self)
  }

  /// A shape for people; a hostile one may have any number of axes.
  private static func shape(_ info: TensorInfo?) -> String {
    guard let shape = info?.shape else { return "" }
    return shape.count <= 8 ? "\(shape)" : "of \(shape.count) axes"
  }

  /// The result in one sentence.
  func verdict(of difference: ModelDifference) -> String {
    let total = difference.total
    if difference.isIdentical { return "identical: every tensor has the same bytes" }
    let pairs = total.tensorCount - total[.onlyInA] - total[.onlyInB]
    let same = total[.identical] + total[.equal]
    if same == total.tensorCount { return "the same values, stored in another way" }
    // Tensors that are the same say nothing of how far the others are.
    let isMeasured = difference.hasMeasuredChange
    let measures = isMeasured ? total.measures : DifferenceMeasures()
    return
      "\(Written.count(total[.changed] + total[.misshapen])) of \(Written.count(pairs, "common tensor")) differ: relative L2 \(Written.measure(measures.relativeL2)), cosine \(Written.cosine(measures.cosine)), greatest difference \(Written.measure(measures.greatest))"
  }
}

extension ModelDifference {
  /// Whether some tensor that differs has values that could be compared.
  package var hasMeasuredChange: Bool {
    tensors.contains { $0.status == .changed && ($0.measures?.finiteCount ?? 0) > 0 }
  }

  /// What could not be compared, in words; `nil` if everything was.
  package var notCompared: String? {
    func words(_ wanted: (TensorDifference) -> Bool, _ text: String) -> String? {
      let count = tensors.count(where: wanted)
      return count > 0 ? "\(Written.count(count, "tensor")) \(text)" : nil
    }
    let parts = [
      words({ ($0.measures?.nonFiniteCount ?? 0) > 0 }, "with NaN or infinities"),
      words({ $0.status == .onlyInA && !$0.isOptional }, "missing in B"),
      words({ $0.status == .onlyInB && !$0.isOptional }, "missing in A"),
      words({ $0.status == .misshapen }, "of another shape"),
      words({ $0.status == .changed && $0.measures == nil }, "of a type without numbers"),
    ].compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}

extension DifferenceMeasures {
  /// The greatest difference, or `nil` where no pair of values could be compared.
  package var greatest: Double? { finiteCount > 0 ? maximumDifference : nil }
}
