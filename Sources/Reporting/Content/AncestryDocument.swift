public import Comparison
public import Drawing
import Inspection
import StableDiffusion

extension Ancestry {
  /// The models as boxes: what was made from what, as far as it is known, else what is nearest.
  public var picture: GraphPicture {
    var graph = GraphPicture(
      "Ancestry", remark: "distances are relative L2; what hangs from what may be a guess")
    let merges = Set(blends.map(\.model) + records.map(\.model))
    let repeated = Set(copies.flatMap { $0.models.dropFirst() })
    let distances = Dictionary(
      tree.map { ($0.model, $0.distance) }, uniquingKeysWith: { first, _ in first })
    graph.nodes = models.indices.map { model in
      var parts = (distances[model] ?? nil).map { ["\(Written.measure($0)) away"] } ?? []
      if merges.contains(model) { parts.append("merge") }
      if repeated.contains(model) { parts.append("copy") }
      let token: Token =
        repeated.contains(model)
        ? .normalization : merges.contains(model) ? .residual : .convolution
      return .init(name(model), remark: parts.joined(separator: " · "), token: token)
    }
    graph.edges = tree.compactMap { branch in
      branch.parent.map { .init(from: $0, to: branch.model) }
    }
    graph.edges += sideBranches.map { .init(from: $0.parent, to: $0.model) }
    return graph
  }

  /// The distance of every model from every other.
  public var heatMap: HeatMap {
    HeatMap(
      "Distances", remark: "relative L2: 0 for copies, about 1.4 for unrelated models",
      rows: models.indices.map { "\($0 + 1)  \(name($0))".sanitized(limit: 24) },
      columns: models.indices.map { "\($0 + 1)" },
      values: models.indices.map { a in
        models.indices.map { b in a == b ? nil : distance(a, b) }
      }, notation: .decimal)
  }

  /// The distances of all models as a table.
  private var distances: Document.Table {
    var table = Document.Table(
      caption: "Distances",
      columns: [.init(title: "", isNumeric: true), .init(title: "model", isCode: true)]
        + models.indices.map { .init(title: "\($0 + 1)", isNumeric: true) })
    table.rows = models.indices.map { a in
      [.init("\(a + 1)"), .init(name(a))]
        + models.indices.map { b in .init(a == b ? "" : Written.measure(distance(a, b))) }
    }
    return table
  }

  /// Everything, before it is written in any format.
  package var document: Document {
    var document = Document(
      title: "Ancestry of \(Written.count(models.count, "model"))",
      subtitle: "compared by up to \(Written.count(valuesPerTensor)) values of each of "
        + "\(Written.count(tensorCount, "tensor")), \(Written.fileSize(sampledByteCount)) in all")
    var table = Document.Table(
      caption: "Models",
      columns: [
        .init(title: "", isNumeric: true), .init(title: "model", isCode: true),
        .init(title: "hangs from"), .init(title: "distance", isNumeric: true),
        .init(title: "what is known", isProse: true),
      ])
    table.rows = tree.map { branch in
      [
        .init("\(branch.model + 1)"), .init(name(branch.model)),
        .init(branch.parent.map { name($0) } ?? ""), .init(Written.measure(branch.distance)),
        .init(remark(branch.model)),
      ]
    }
    let graph = picture
    document.sections.append(
      .init(
        anchor: "tree", title: "Tree",
        blocks: [
          .picture(.init(scene: graph.scene(), narrow: graph.scene(.narrow))),
          .table(table.withoutEmptyColumns),
        ]))
    if !sharedParts.isEmpty {
      var parts = Document.Table(
        caption: "Shared parts",
        columns: [
          .init(title: "part"), .init(title: "hash", isCode: true),
          .init(title: "models", isProse: true),
        ])
      parts.rows = sharedParts.map { part in
        [
          .init(part.component.title), .init("\(part.hash.prefix(16))"),
          .init(part.models.map { name($0) }.joined(separator: ", ")),
        ]
      }
      document.sections.append(
        .init(anchor: "parts", title: "Shared parts", blocks: [.table(parts)]))
    }
    // A picture of more would be too small to read; a table is scrolled.
    document.sections.append(
      .init(
        anchor: "distances", title: "Distances",
        blocks: [models.count <= 8 ? .picture(.init(scene: heatMap.scene)) : .table(distances)]))
    return document
  }
}
