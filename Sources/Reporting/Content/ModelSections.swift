import Drawing
import Inspection
import StableDiffusion
import Tensors

extension ModelReport {
  /// The parts about this model; `prefix` keeps the anchors of several models apart.
  package func sections(prefix: String = "") -> [Document.Section] {
    var sections: [Document.Section] = []
    func add(_ anchor: String, _ title: String, _ blocks: [Document.Block]) {
      guard !blocks.isEmpty else { return }
      sections.append(.init(anchor: prefix + anchor, title: title, blocks: blocks))
    }
    add("identity", "Identity", identityBlocks)
    add("findings", "Findings", findingBlocks)
    add("components", "Components", componentBlocks)
    add("network", "Network", networkBlocks)
    add("places", "Merge places", placeBlocks)
    add("recipe", "Merge recipe", recipeBlocks)
    add("training", "Training", trainingBlocks)
    add("metadata", "Metadata", metadataBlocks)
    add("layers", "Normalisations and convolutions", layerBlocks)
    add("tensors", "Tensors", [.table(tensorTable)])
    return sections
  }

  /// The numbers that come first.
  package var highlights: [Document.Highlight] {
    let source = model.source
    let values = source.tensors.reduce(0) { $0 &+ $1.elementCount }
    let worst = findings.allFindings.map(\.severity).max()
    return [
      .init(name: "size", value: Written.fileSize(model.fileByteCount), token: nil),
      .init(name: "tensors", value: Written.count(source.tensors.count), token: nil),
      .init(name: "values", value: Written.approximately(values), token: nil),
      .init(name: "precision", value: precision, token: nil),
      .init(
        name: options.readsValues ? "findings" : "findings in headers",
        value: Written.count(findings.allFindings.count),
        token: worst.map(\.token) ?? .good),
    ]
  }

  /// The element types, that of most bytes first.
  private var precision: String {
    var bytes: [DType: Int] = [:]
    for tensor in model.source.tensors { bytes[tensor.dtype, default: 0] &+= tensor.byteCount }
    let types = bytes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key.name)
    // A handful of positions in I64 is no news.
    let main = types.filter { $0 != "I64" || types.count == 1 }
    return main.count <= 2 ? main.joined(separator: ", ") : "\(main[0]) and \(main.count - 1) more"
  }

  private var identityBlocks: [Document.Block] {
    let source = model.source, identity = model.identity
    var pairs: [(name: String, value: String)] = [
      ("kind", identity.title), ("evidence", identity.reason),
      ("container", source.container.title),
    ]
    if let layout = identity.layout { pairs.append(("layout", layout.title)) }
    if let variant = identity.variant { pairs.append(("variant", variant.title)) }
    if identity.averageCount > 0 {
      pairs.append(("moving averages", Written.count(identity.averageCount, "tensor")))
    }
    for extra in identity.extras {
      pairs.append((extra.extra.title, Written.count(extra.tensors.count, "tensor")))
    }
    for (file, hash) in zip(source.files, sha256).prefix(20) {
      let name = source.files.count > 1 ? "SHA-256 of \(file.path)" : "SHA-256"
      pairs.append((name, hash ?? "not computed; --hash does"))
      if source.files.count == 1, let hash { pairs.append(("AutoV2", String(hash.prefix(10)))) }
    }
    if source.files.count > 20 {
      pairs.append(("further files", Written.count(source.files.count - 20)))
    }
    if let hashes {
      if let autoV3 = hashes.autoV3 { pairs.append(("AutoV3", autoV3)) }
      pairs.append(("AutoV1", hashes.autoV1))
    }
    return [.pairs(pairs)]
  }

  private var findingBlocks: [Document.Block] {
    let all = findings.allFindings
    let scope =
      options.readsValues
      ? "Container, structure and every value were checked."
      : "Container and structure were checked; values were not read."
    guard !all.isEmpty else { return [.text("Nothing was found. " + scope)] }
    let shown = all.prefix(200)
    var table = Document.Table(
      caption: "Findings",
      columns: [
        .init(title: "severity"), .init(title: "rule"), .init(title: "tensor", isCode: true),
        .init(title: "finding", isProse: true), .init(title: "what to do", isProse: true),
      ])
    for fault in shown {
      var bare = fault
      bare.tensor = nil
      bare.hint = nil
      table.rows.append([
        .init(fault.severity.rawValue, token: fault.severity.token), .init(fault.rule.id),
        .init(fault.tensor?.string ?? ""), .init(bare.sentence), .init(fault.hint ?? ""),
      ])
    }
    var blocks: [Document.Block] = [.text(scope), .table(table.withoutEmptyColumns)]
    if all.count > shown.count {
      blocks.append(
        .text("… and \(Written.count(all.count - shown.count)) more; sdtool validate lists all."))
    }
    return blocks
  }

  private var componentBlocks: [Document.Block] {
    [.table(Document.Table(model.componentTable, caption: "Components"))]
  }

  private var networkBlocks: [Document.Block] {
    let identity = model.identity
    guard identity.kind == .stableDiffusion1, !identity.components.isEmpty else { return [] }
    func picture(_ coloring: Coloring?, caption: String = "") -> Document.Block {
      func scene(_ arrangement: Scene.Arrangement) -> Scene {
        .network(
          identity.schema, title: identity.title, resolution: options.resolution,
          coloring: coloring, arrangement: arrangement)
      }
      return .picture(.init(scene: scene(.wide), caption: caption, narrow: scene(.narrow)))
    }
    var blocks = [
      picture(nil, caption: "Point at a box or a field for names, widths and numbers.")
    ]
    let graver = findings.findings.filter { $0.tensor != nil && $0.severity >= .warning }
    if !graver.isEmpty {
      blocks += [
        .heading("Where the findings are"), picture(.findings(graver, identity: identity)),
      ]
    }
    if Set(identity.components.flatMap { $0.types.map(\.dtype) }).count > 1 {
      blocks += [.heading("Element types"), picture(.types(of: identity))]
    }
    return blocks
  }

  private var placeBlocks: [Document.Block] {
    let places = model.places
    guard !places.isEmpty else { return [] }
    var types: [Place: [DType: Int]] = [:]
    for (index, use) in model.identity.uses.enumerated() {
      guard case .parameter(let position) = use else { continue }
      let tensor = model.source.tensors[index]
      types[model.identity.schema.parameters[position].place, default: [:]][
        tensor.dtype, default: 0] &+= tensor.byteCount
    }
    let most = places.map(\.byteCount).max() ?? 0
    var table = Document.Table(
      caption: "Element types and sizes by place",
      columns: [
        .init(title: "place"), .init(title: "tensors", isNumeric: true),
        .init(title: "values", isNumeric: true), .init(title: "size", isNumeric: true),
        .init(title: "types"), .init(title: "share of the largest"),
      ])
    for place in places {
      let own = (types[place.place] ?? [:]).sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      table.rows.append([
        .init("\(place.place)"),
        .init(Written.count(place.tensorCount), key: Double(place.tensorCount)),
        .init(Written.count(place.elementCount), key: Double(place.elementCount)),
        .init(Written.fileSize(place.byteCount), key: Double(place.byteCount)),
        .init(
          own.count == 1
            ? own[0].key.name
            : own.map { "\($0.key.name) \(Written.fileSize($0.value))" }.joined(separator: ", ")),
        .init(
          Written.percentage(place.byteCount, of: most),
          share: most > 0 ? Double(place.byteCount) / Double(most) : 0),
      ])
    }
    return [.table(table)]
  }

  private var layerBlocks: [Document.Block] {
    let identity = model.identity
    guard identity.kind == .stableDiffusion1, !identity.components.isEmpty else { return [] }
    let components = identity.components.map(\.component)
    return [LayerTable.Kind.norms, .convolutions].map { kind in
      let table = LayerTable(kind, of: identity.schema, components: components).table
      let names = Set(table.columns.indices.suffix(2))
      return .table(
        Document.Table(
          table, caption: kind == .norms ? "Normalisations" : "Convolutions", codeColumns: names,
          isLong: true))
    }
  }

  private var tensorTable: Document.Table {
    var table = Document.Table(
      caption: "Tensors",
      columns: [
        .init(title: "tensor", isCode: true), .init(title: "type"), .init(title: "shape"),
        .init(title: "size", isNumeric: true), .init(title: "use"),
      ], isLong: true)
    if statistics != nil {
      table.columns += ["min", "max", "mean", "std", "NaN/Inf"].map {
        .init(title: $0, isNumeric: true)
      }
    }
    table.rows.reserveCapacity(model.source.tensors.count)
    for (index, tensor) in model.source.tensors.enumerated() {
      var row: [Document.Cell] = [
        .init(tensor.name.string), .init(tensor.dtype.name),
        .init(
          tensor.shape.map(String.init).joined(separator: "×"), key: Double(tensor.elementCount)),
        .init(Written.fileSize(tensor.byteCount), key: Double(tensor.byteCount)),
        .init(model.use(of: index)),
      ]
      if let found = statistics?[index] {
        for value in [found.minimum, found.maximum, found.mean, found.standardDeviation] {
          row.append(.init(value.map(TensorList.short) ?? "–", key: value))
        }
        let special = found.nanCount + found.infinityCount
        row.append(
          .init(
            Written.count(special), key: Double(special), token: special > 0 ? .bad : nil))
      }
      table.rows.append(row)
    }
    return table
  }
}

extension Severity {
  /// Its colour.
  var token: Token {
    switch self {
    case .note: .note
    case .warning: .warning
    case .error, .fatal: .bad
    }
  }
}
