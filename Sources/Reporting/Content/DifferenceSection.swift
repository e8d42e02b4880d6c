import Comparison
import Drawing
import Inspection
import StableDiffusion
import Tensors

extension ModelDifference {
  /// How two models differ, as a part of a report.
  func section(_ a: ModelIdentity, _ b: ModelIdentity) -> Document.Section {
    // Networks of different widths have no common picture.
    section(schema: a.schema, isDrawn: a.schema.dimensions == b.schema.dimensions)
  }

  private func section(schema: Schema, isDrawn: Bool) -> Document.Section {
    // Tensors that are the same say nothing of how far the others are.
    let measures =
      hasMeasuredChange || notCompared == nil ? total.measures : DifferenceMeasures()
    var pairs: [(name: String, value: String)] = [
      ("A", a.path), ("B", b.path),
      ("relative change", Self.percentage(measures.relativeL2)),
      ("cosine", measures.cosine.map { Written.decimal($0, digits: 6) } ?? "–"),
      ("largest change", measures.greatest.map { TensorList.short($0) } ?? "–"),
      (
        "changed values",
        "\(Written.count(total.measures.changedCount)) of \(Written.count(total.measures.valueCount))"
      ),
    ]
    for status in TensorDifference.Status.allCases {
      let count = tensors.count { $0.status == status }
      if count > 0 { pairs.append(("\(status.rawValue) tensors", Written.count(count))) }
    }
    var blocks: [Document.Block] = []
    if isIdentical { blocks.append(.text("Both models hold the same tensors, byte for byte.")) }
    if let notCompared {
      blocks.append(
        .text("Not compared, and in no number here: \(notCompared). The pictures mark them."))
    }
    blocks.append(.pairs(pairs))
    if !isIdentical, isDrawn, !places.isEmpty {
      func scene(_ arrangement: Scene.Arrangement) -> Scene {
        .network(
          schema, title: "How far B is from A", coloring: .change(self, schema: schema),
          arrangement: arrangement)
      }
      blocks += [
        .picture(.init(scene: scene(.wide), narrow: scene(.narrow))),
        .picture(.init(scene: heatMap.scene)),
      ]
    }
    if !isIdentical {
      blocks += groupTables.map { .table($0) }
      blocks.append(.table(tensorTable))
    }
    return Document.Section(anchor: "difference", title: "Difference", blocks: blocks)
  }

  private static func percentage(_ value: Double?) -> String {
    value.map { Written.decimal($0 * 100, digits: 4) + "%" } ?? "–"
  }

  /// The differences by place and by layer.
  private var groupTables: [Document.Table] {
    func table<Key: Hashable>(
      _ caption: String, _ subject: String, _ keys: [Key], _ groups: [Key: DifferenceGroup],
      _ title: (Key) -> String
    ) -> Document.Table {
      var table = Document.Table(
        caption: caption,
        columns: [
          .init(title: subject), .init(title: "differ", isNumeric: true),
          .init(title: "relative change", isNumeric: true),
          .init(title: "largest change", isNumeric: true), .init(title: "cosine", isNumeric: true),
          .init(title: "NaN, infinite", isNumeric: true),
        ])
      for key in keys {
        guard let group = groups[key] else { continue }
        let measures = group.measures
        let special = measures.nonFiniteCount
        table.rows.append([
          .init(title(key)),
          .init(
            "\(Written.count(group.tensorCount - group[.identical] - group[.equal])) of \(Written.count(group.tensorCount))"
          ),
          .init(Self.percentage(measures.relativeL2)),
          .init(measures.greatest.map { TensorList.short($0) } ?? "–"),
          .init(measures.cosine.map { Written.decimal($0, digits: 6) } ?? "–"),
          .init(special > 0 ? Written.count(special) : "", token: special > 0 ? .bad : nil),
        ])
      }
      return table.withoutEmptyColumns
    }
    return [
      table("Difference by place", "place", Place.allCases, places) { $0.description },
      table("Difference by layer", "layer", Role.allCases, roles) { $0.className },
    ].filter { !$0.rows.isEmpty }
  }

  /// Every tensor that is not the same in both.
  private var tensorTable: Document.Table {
    var table = Document.Table(
      caption: "Tensors that differ",
      columns: [
        .init(title: "tensor", isCode: true), .init(title: "state"),
        .init(title: "relative change", isNumeric: true),
        .init(title: "largest change", isNumeric: true), .init(title: "cosine", isNumeric: true),
        .init(title: "sign flips", isNumeric: true), .init(title: "type"),
      ], isLong: true)
    for tensor in tensors where tensor.status != .identical {
      let measures = tensor.measures
      let types = [tensor.a, tensor.b].map { $0?.dtype.name ?? "–" }
      table.rows.append([
        .init(tensor.name.string), .init(tensor.status.rawValue),
        .init(Self.percentage(measures?.relativeL2), key: measures?.relativeL2),
        .init(
          measures.map { TensorList.short($0.maximumDifference) } ?? "–",
          key: measures?.maximumDifference),
        .init(
          measures?.cosine.map { Written.decimal($0, digits: 6) } ?? "–", key: measures?.cosine),
        .init(
          measures.map { Written.count($0.signFlipCount) } ?? "–",
          key: measures.map { Double($0.signFlipCount) }),
        .init(types[0] == types[1] ? types[0] : types.joined(separator: " → ")),
      ])
    }
    return table
  }
}
