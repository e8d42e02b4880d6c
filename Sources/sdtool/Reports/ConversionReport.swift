import Inspection
import JSON
import Layouts
import StableDiffusion
import Tensors

/// What a conversion does, or did, to a model: for people and for programs.
struct ConversionReport {
  /// The plan, as it was carried out.
  var plan: ConversionPlan
  /// The model, as the user named it.
  let input: String
  /// The output, as the user named it.
  let output: String
  /// The model whose VAE was put in.
  let vae: String?
  /// The tensors that were kept in F32.
  var keptNames: [TensorName] = []
  /// The tensors whose values were limited, and how many.
  var clamped: [(name: TensorName, count: Int)] = []
  /// How long it took; `nil` if nothing was written.
  var seconds: Double?

  /// A report of `plan`.
  init(plan: ConversionPlan, input: String, output: String, vae: String?) {
    self.plan = plan
    self.input = input
    self.output = output
    self.vae = vae
  }

  /// Everything that happens to tensors, with those it happens to.
  private struct Change {
    let title: String
    var bytes = 0
    var examples: [StyledText] = []

    mutating func add(_ tensor: TensorInfo, _ text: StyledText) {
      bytes = bytes.addingReportingOverflow(tensor.byteCount).partialValue
      examples.append(text)
    }
  }

  private var changes: [Change] {
    var changes: [String: Change] = [:]
    func add(_ key: String, _ title: String, _ tensor: TensorInfo, _ text: StyledText) {
      changes[key, default: Change(title: title)].add(tensor, text)
    }
    for tensor in plan.tensors {
      let (old, new) = (tensor.original, tensor.info)
      switch tensor.origin {
      case .model: break
      case .average: add("1", "from the moving average", new, "\(old.name, .name)")
      case .vae: add("2", "from the other VAE", new, "\(old.name, .name)")
      case .known: add("3", "written anew", new, "\(new.name, .name)")
      }
      if tensor.origin == .model, !tensor.isRenamed, !tensor.isReshaped, !tensor.isCast {
        add("0", "as they are", new, "\(new.name, .name)")
      }
      if tensor.isRenamed { add("4", "renamed", new, "\(old.name, .name) → \(new.name, .name)") }
      if tensor.isReshaped {
        add("5", "reshaped", new, "\(old.name, .name) \(old.shape) → \(new.shape)")
      }
      if tensor.isCast {
        let title = "cast \(old.dtype) → \(new.dtype)"
        add("6" + title, title, new, "\(old.name, .name)")
      }
    }
    for tensor in plan.dropped {
      let title = "dropped: " + tensor.reason.title
      add("7" + title, title, tensor.info, "\(tensor.info.name, .name)")
    }
    return changes.sorted { $0.key < $1.key }.map(\.value)
  }

  /// The report for a terminal, with every tensor that changes or is left out if `listing`.
  func lines(width: Int, listWidth: Int, style: Style, listing: Bool) -> [String] {
    var lines: [String] = []
    func add(_ text: StyledText) { lines.append(text.rendered(style)) }
    let layout = plan.request.layout
    add("\(input, .name): \(plan.identity.title), \(plan.container.title)")
    if let vae { add("\(vae, .name): the VAE") }
    let verb = seconds == nil ? "would write" : "wrote"
    let alone = plan.alone.map { ", \($0.title) alone" } ?? ""
    let time = seconds.map { " in " + Written.duration(seconds: $0) } ?? ""
    add(
      "\(verb) \(output, .name): \(layout.title)\(alone), \(Written.count(plan.tensors.count, "tensor")), \(Written.fileSize(plan.outputByteCount))\(time)"
    )
    let changes = self.changes
    if listing {
      for change in changes where change.title != "as they are" {
        lines.append("")
        add("\(change.title, .strong): \(Written.count(change.examples.count, "tensor"))")
        for example in change.examples {
          add("  " + (listWidth == .max ? example : example.truncated(to: listWidth - 2)))
        }
      }
      lines.append("")
    } else {
      var table = TextTable([
        .init("tensors", .right), .init("size", .right), .init("what"),
        .init("first", shrinks: true),
      ])
      for change in changes {
        table.append([
          "\(Written.count(change.examples.count))", "\(Written.fileSize(change.bytes))",
          "\(change.title)", change.examples.first ?? "",
        ])
      }
      lines += table.lines(width: width, style: style)
    }
    lines += metadataLines(style)
    lines += findingLines(width: width, style: style, limit: listing ? .max : 10)
    return lines
  }

  private func metadataLines(_ style: Style) -> [String] {
    var lines: [String] = []
    let kept = (plan.metadata?.count ?? 0) - plan.addedMetadata.count
    let dropped = plan.droppedMetadata
    var line: StyledText = "metadata: \(Written.count(kept, "text")) kept, \(dropped.count) dropped"
    for key in plan.addedMetadata { line += ", \(key, .name) added" }
    lines.append(line.rendered(style))
    if !plan.copiedFiles.isEmpty {
      let line: StyledText =
        "copied \(plan.copiedFiles.joined(separator: ", ")); other configurations are written anew"
      lines.append(line.rendered(style))
    } else if plan.container == .diffusersFolder {
      lines.append("configurations in the folder are not carried over")
    }
    for text in dropped {
      let line: StyledText = "  dropped \(text.entry.key, .name): \(text.reason)"
      lines.append(line.rendered(style))
    }
    return lines
  }

  private func findingLines(width: Int, style: Style, limit: Int) -> [String] {
    var texts: [StyledText] = []
    for name in keptNames { texts.append("\("kept", .caution) in F32: \(name, .name)") }
    for tensor in clamped {
      texts.append(
        "\("clamped", .caution) \(Written.count(tensor.count, "value")) of \(tensor.name, .name)")
    }
    if seconds == nil {
      let count = plan.tensorsAtRisk.count
      if count > 0 {
        texts.append(
          "\("note", .note) \(Written.count(count, "tensor")) may hold values too large for the new type; their values are not read for a plan"
        )
      }
    }
    for finding in plan.findings {
      texts.append("\(finding.severity.rawValue, .caution) \(finding.sentence)")
    }
    for problem in plan.problems {
      texts.append("\("problem", .bad) \(problem.description)")
    }
    var lines = texts.prefix(limit).flatMap { $0.wrapped(to: width) }.map { $0.rendered(style) }
    if texts.count > limit {
      lines.append("… and \(Written.count(texts.count - limit)) more; --list shows all")
    }
    return lines
  }

  /// The report for programs: everything, in a fixed order.
  var json: JSONValue {
    var object: JSONObject = [
      "schema": "sdtool-conversion/1",
      "input": .string(input), "output": .string(output),
      "kind": .string(plan.identity.kind.rawValue),
      "container": .string(plan.container.rawValue),
      "layout": .string(plan.request.layout.rawValue),
      "written": .bool(seconds != nil),
      "output_bytes": .integer(plan.outputByteCount),
      "data_bytes_read": .integer(plan.readByteCount),
      "data_bytes_written": .integer(plan.dataByteCount),
      "tensors": .array(plan.tensors.map(Self.value)),
      "dropped": .array(
        plan.dropped.map {
          [
            "name": .string($0.info.name.string), "dtype": .string($0.info.dtype.name),
            "shape": .array($0.info.shape.map { .integer($0) }), "reason": .string($0.reason.title),
          ]
        }),
      "metadata_dropped": .array(
        plan.droppedMetadata.map {
          ["key": .string($0.entry.key), "reason": .string($0.reason)]
        }),
      "metadata_kept": .array((plan.metadata ?? []).map { .string($0.key) }),
      "metadata_added": .array(plan.addedMetadata.map { .string($0) }),
      "copied_files": .array(plan.copiedFiles.map { .string($0) }),
      "kept_in_f32": .array(keptNames.map { .string($0.string) }),
      "clamped": .array(
        clamped.map { ["name": .string($0.name.string), "values": .integer($0.count)] }),
      "may_overflow": .array(plan.tensorsAtRisk.map { .string($0.info.name.string) }),
      "findings": .array(plan.findings.map(\.jsonValue)),
      "problems": .array(plan.problems.map(\.jsonValue)),
    ]
    if let vae { object["vae"] = .string(vae) }
    if let alone = plan.alone { object["component"] = .string(alone.folder) }
    if let seconds { object["seconds"] = .double(seconds) }
    return .object(object)
  }

  private static func value(_ tensor: PlannedTensor) -> JSONValue {
    let (old, new) = (tensor.original, tensor.info)
    var object: JSONObject = [
      "name": .string(new.name.string), "dtype": .string(new.dtype.name),
      "shape": .array(new.shape.map { .integer($0) }), "origin": .string(tensor.origin.name),
    ]
    if tensor.isRenamed { object["original_name"] = .string(old.name.string) }
    if tensor.isCast { object["original_dtype"] = .string(old.dtype.name) }
    if tensor.isReshaped { object["original_shape"] = .array(old.shape.map { .integer($0) }) }
    return .object(object)
  }
}

extension PlannedTensor.Origin {
  /// The origin for programs.
  fileprivate var name: String {
    switch self {
    case .model: "model"
    case .average: "average"
    case .vae: "vae"
    case .known: "known"
    }
  }
}
