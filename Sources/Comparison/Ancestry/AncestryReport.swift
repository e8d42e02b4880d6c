package import Inspection
public import JSON
import StableDiffusion
import Tensors

extension Ancestry {
  /// The name of a model's file.
  package func name(_ model: Int) -> String { Self.baseName(models[model].path) }

  /// What is known about the origin of a model, in a few words.
  package func remark(_ model: Int) -> String {
    var parts: [String] = []
    if let copy = copies.first(where: { $0.models.dropFirst().contains(model) }) {
      let what = copy.isExact ? "copy of" : "same weights as"
      parts.append("\(what) \(name(copy.models[0]))")
    }
    if let blend = blends.first(where: { $0.model == model }) {
      let share = Written.decimal(blend.weight, digits: 2)
      let how = blend.isBlockWeighted ? "block-weighted, about \(share)" : share
      parts.append("lies between \(name(blend.first)) and \(name(blend.second)) (\(how))")
    }
    if let record = records.first(where: { $0.model == model }) {
      let origins = record.origins.map { origin in
        guard let found = origin.found, name(found) != origin.name else { return origin.name }
        return "\(origin.name) (here \(name(found)))"
      }
      parts.append("recorded by \(record.tool): merged from \(origins.joined(separator: ", "))")
    }
    return parts.joined(separator: "; ")
  }

  /// The tree, what is shared, and the distances, for a terminal.
  package func lines(width: Int, style: Style) -> [String] {
    let sample: StyledText =
      "\(Written.count(models.count, "model"), .strong), compared by up to \(Written.count(valuesPerTensor)) values from the middle of each of \(Written.count(tensorCount, "tensor")) (\(Written.fileSize(sampledByteCount)) read)"
    var lines = sample.wrapped(to: width).map { $0.rendered(style) }
    lines += ["", style.paint("Tree", .strong)] + treeLines(style)
    let note: StyledText =
      "\("Distances are relative L2 and have no direction: but for recorded merges and models that lie between two others, what hangs from what is a guess.", .faint)"
    lines += note.wrapped(to: width).map { $0.rendered(style) }
    if !sharedParts.isEmpty {
      lines += ["", style.paint("Shared parts", .strong)]
      for part in sharedParts {
        let names = part.models.map { name($0) }.joined(separator: ", ")
        let line: StyledText =
          "\(part.component.title)  \(String(part.hash.prefix(10)), .name)  in \(names)"
        lines += line.wrapped(to: width).map { $0.rendered(style) }
      }
    }
    guard models.count <= 12 else { return lines }
    lines += ["", style.paint("Distances", .strong)]
    var table = TextTable(
      [.init("", .right), .init("model", shrinks: true)]
        + models.indices.map { .init("\($0 + 1)", .right) })
    for a in models.indices {
      table.append(
        ["\(a + 1)", "\(name(a), .name)"]
          + models.indices.map { b in
            a == b ? "\("·", .faint)" : "\(Written.measure(distance(a, b)))"
          })
    }
    return lines + table.lines(width: width, style: style)
  }

  private func treeLines(_ style: Style) -> [String] {
    // For each depth whether a sibling follows, which decides what is drawn before a name.
    var isLast = [Bool](repeating: true, count: tree.count)
    var seen = Set<Int>()
    for (index, branch) in tree.enumerated().reversed() {
      guard let parent = branch.parent else { continue }
      isLast[index] = seen.insert(parent).inserted
    }
    var stems: [String] = []
    return tree.enumerated().map { index, branch in
      stems = Array(stems.prefix(branch.depth))
      var prefix = stems.dropFirst().joined()
      if branch.depth > 0 { prefix += isLast[index] ? "└─ " : "├─ " }
      stems.append(branch.depth == 0 ? "" : isLast[index] ? "   " : "│  ")
      var line: StyledText = "\(prefix, .faint)\(name(branch.model), .name)"
      if let distance = branch.distance { line += "  \(Written.measure(distance))" }
      let remark = remark(branch.model)
      if !remark.isEmpty { line += "  \(remark, .note)" }
      return line.rendered(style)
    }
  }

  /// The ancestry for programs; `docs/json.md` describes every field.
  public var json: JSONValue {
    func list(_ models: [Int]) -> JSONValue { .array(models.map { .integer($0) }) }
    return [
      "models": .array(models.map(\.json)),
      "sample": [
        "values_per_tensor": .integer(valuesPerTensor), "tensors": .integer(tensorCount),
        "bytes": .integer(sampledByteCount),
      ],
      "distances": .array(
        models.indices.map { a in .array(models.indices.map { number(distance(a, $0)) }) }),
      "tree": .array(
        tree.map {
          [
            "model": .integer($0.model), "parent": $0.parent.map { .integer($0) } ?? .null,
            "distance": number($0.distance), "depth": .integer($0.depth),
          ]
        }),
      "copies": .array(
        copies.map { ["models": list($0.models), "exact": .bool($0.isExact)] }),
      "shared_parts": .array(
        sharedParts.map {
          [
            "component": .string($0.component.rawValue), "sha256_f16": .string($0.hash),
            "models": list($0.models),
          ]
        }),
      "between": .array(
        blends.map {
          [
            "model": .integer($0.model), "first": .integer($0.first),
            "second": .integer($0.second), "weight": .double($0.weight),
            "block_weighted": .bool($0.isBlockWeighted), "residual": .double($0.residual),
          ]
        }),
      "records": .array(
        records.map {
          [
            "model": .integer($0.model), "tool": .string($0.tool),
            "names": .array($0.names.map { .string($0) }), "parents": list($0.parents),
            "origins": .array(
              $0.origins.map {
                [
                  "name": .string($0.name), "sha256": $0.sha256.map { .string($0) } ?? .null,
                  "model": $0.found.map { .integer($0) } ?? .null,
                ]
              }),
          ]
        }),
    ]
  }

  /// The matrix of distances as comma-separated values, models by their paths.
  public var csv: String {
    var text = csvLine(["model"] + models.map(\.path))
    for a in models.indices {
      text += csvLine(
        [models[a].path] + models.indices.map { distance(a, $0).map { "\($0)" } ?? "" })
    }
    return text
  }

  /// The ways from parents to their merges that the tree does not show.
  package var sideBranches: [(parent: Int, model: Int)] {
    var seen = Set(tree.map { [$0.parent ?? -1, $0.model] })
    var known: [(parent: Int, model: Int)] = []
    for record in records { known += record.parents.map { ($0, record.model) } }
    for blend in blends { known += [(blend.first, blend.model), (blend.second, blend.model)] }
    return known.filter { seen.insert([$0.parent, $0.model]).inserted }
  }

  /// The tree in Graphviz's language.
  ///
  /// Dashed lines lead from the other parents of merges, dotted ones to the parts that models
  /// share, which are named by the beginning of their hash.
  public var dot: String {
    func quoted(_ text: String) -> String {
      "\""
        + text.sanitized.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
    var text = "digraph ancestry {\n  node [shape=box, fontname=\"sans-serif\"];\n"
    for model in models.indices {
      text += "  m\(model) [label=\(quoted(name(model)))];\n"
    }
    for branch in tree {
      guard let parent = branch.parent else { continue }
      text +=
        "  m\(parent) -> m\(branch.model) [label=\(quoted(Written.measure(branch.distance)))];\n"
    }
    for branch in sideBranches {
      text += "  m\(branch.parent) -> m\(branch.model) [style=dashed];\n"
    }
    for (index, part) in sharedParts.enumerated() {
      let label = "\(part.component.title) \(part.hash.prefix(10))"
      text += "  p\(index) [shape=note, label=\(quoted(label))];\n"
      for model in part.models {
        text += "  m\(model) -> p\(index) [style=dotted, arrowhead=none];\n"
      }
    }
    return text + "}\n"
  }
}
