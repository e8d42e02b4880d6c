import Inference
import Inspection
import JSON
import StableDiffusion

/// What a forward pass gave, for people and for programs.
struct ForwardReport {
  let part: ForwardPart
  let title: String
  let path: String
  let runtime: Runtime
  var isPlanned = false
  var profile = false
  var tolerance = 0.0
  var loadSeconds = 0.0
  /// Of each run.
  var runSeconds: [Double] = []
  var weightByteCount = 0
  var observation = Observation()
  var inputs: [(name: String, shape: [Int])] = []
  var outputs: [NamedArray] = []
  var comparisons: [ForwardComparison] = []

  /// The report for a terminal.
  func text(_ options: OutputOptions) -> String {
    let style = options.style
    var lines: [String] = []
    func add(_ line: StyledText) { lines.append(line.rendered(style)) }
    if isPlanned {
      lines += shapeTable.lines(width: options.listWidth, style: style)
      let total = observation.profile.operations
      add(
        "\(Self.operations(total), .strong) operations, \(Written.memorySize(observation.activationByteCount)) of activations at most"
      )
      return lines.joined(separator: "\n") + "\n"
    }
    add(
      "\(path, .strong)  \(part.rawValue), \(runtime.precision.rawValue), \(Written.count(runtime.threads, "thread"))"
    )
    if comparisons.isEmpty {
      var table = TextTable([
        .init("output", shrinks: true), .init("shape"), .init("mean", .right),
        .init("deviation", .right), .init("range", .right),
      ])
      for (name, value) in outputs {
        let m = Moments(value)
        table.append([
          "\(name, .name)", "\(value.shape)", "\(Self.short(m.mean))",
          "\(Self.short(m.deviation))", "\(Self.short(m.least)) … \(Self.short(m.most))",
        ])
      }
      lines += table.lines(width: options.listWidth, style: style)
    } else {
      lines += comparisonTable.lines(width: options.listWidth, style: style)
      let wrong = comparisons.count { !$0.isWithin(tolerance) }
      if wrong == 0 {
        add(
          "\("all within \(Self.short(tolerance)) deviations", .good) of \(Written.count(comparisons.count, "tensor"))"
        )
      } else {
        add(
          "\("\(wrong) of \(Written.count(comparisons.count, "tensor")) not within \(Self.short(tolerance)) deviations", .bad)"
        )
      }
    }
    if profile {
      for table in profileTables {
        lines.append("")
        lines += table.lines(width: options.listWidth, style: style)
      }
    }
    add(
      "\("loaded in \(Written.duration(seconds: loadSeconds)) (\(Written.memorySize(weightByteCount)) of weights), ran in \(Written.duration(seconds: runSeconds.last ?? 0)) (\(Written.memorySize(observation.activationByteCount)) of activations)", .faint)"
    )
    return lines.joined(separator: "\n") + "\n"
  }

  private var shapeTable: TextTable {
    var table = TextTable([
      .init("module", shrinks: true), .init("class"), .init("input"), .init("output"),
      .init("operations", .right),
    ])
    for module in observation.modules {
      let indent = String(repeating: "\u{A0}", count: 2 * module.depth)
      table.append([
        StyledText(indent) + "\(module.path.diffusers, .name)", "\(module.className, .faint)",
        "\(module.inputs.map { "\($0)" }.joined(separator: ", "))", "\(module.output)",
        "\(module.operations > 0 ? Self.operations(module.operations) : "")",
      ])
    }
    return table
  }

  private var comparisonTable: TextTable {
    var table = TextTable([
      .init("tensor", shrinks: true), .init("shape"), .init("largest difference", .right),
      .init("in deviations", .right), .init("relative", .right), .init(""),
    ])
    for comparison in comparisons {
      let isWithin = comparison.isWithin(tolerance)
      let verdict: StyledText = isWithin ? "\("ok", .good)" : "\("differs", .bad)"
      var cells: [StyledText] = ["\(comparison.name, .name)", "\(comparison.shape)"]
      switch comparison.result {
      case .compared(let d):
        cells += [
          "\(Self.short(d.largest))", "\(Self.short(d.inDeviations))", "\(Self.short(d.relative))",
          verdict,
        ]
      case .misshapen(let shape): cells += ["", "", "", "\("has shape \(shape)", .bad)"]
      case .missing: cells += ["", "", "", "\("no such output or module", .bad)"]
      }
      table.append(cells)
    }
    return table
  }

  private var profileTables: [TextTable] {
    let ceiling = runtime.measuredCeiling()
    func table(_ title: String, _ entries: [(String, Profile.Entry)]) -> TextTable {
      var table = TextTable([
        .init(title), .init("calls", .right), .init("seconds", .right), .init("share", .right),
        .init("GFLOP/s", .right), .init("of ceiling", .right),
      ])
      let total = max(1e-12, entries.reduce(0) { $0 + $1.1.seconds })
      for (name, entry) in entries.sorted(by: { ($1.1.seconds, $0.0) < ($0.1.seconds, $1.0) }) {
        let speed = entry.operations / max(1e-12, entry.seconds)
        table.append([
          "\(name, .name)", "\(Written.count(entry.count))",
          "\(Written.decimal(entry.seconds, digits: 3))",
          "\(Written.decimal(entry.seconds / total * 100, digits: 1))%",
          "\(entry.operations > 0 ? Written.decimal(speed * 1e-9, digits: 0) : "–")",
          "\(entry.operations > 0 ? Written.decimal(speed / ceiling * 100, digits: 0) + "%" : "–")",
        ])
      }
      table.appendRule()
      let operations = entries.reduce(0) { $0 + $1.1.operations }
      table.append([
        "total", "\(Written.count(entries.reduce(0) { $0 + $1.1.count }))",
        "\(Written.decimal(total, digits: 3))", "",
        "\(Written.decimal(operations / total * 1e-9, digits: 0))",
        "\(Written.decimal(operations / total / ceiling * 100, digits: 0))%",
      ])
      return table
    }
    return [
      table("operation", observation.profile.kinds.map { ($0.key.rawValue, $0.value) }),
      table("in block", observation.profile.blocks.map { ($0.key, $0.value) }),
    ]
  }

  /// The report for programs.
  var json: JSONValue {
    func shape(_ value: [Int]) -> JSONValue { .array(value.map { .integer($0) }) }
    func entries(_ values: [(String, Profile.Entry)]) -> JSONValue {
      .array(
        values.sorted { $0.0 < $1.0 }.map {
          [
            "name": .string($0.0), "calls": .integer($0.1.count), "seconds": .number($0.1.seconds),
            "operations": .number($0.1.operations),
          ]
        })
    }
    var fields: [(String, JSONValue)] = [
      ("path", .string(path)), ("model", .string(title)), ("component", .string(part.rawValue)),
      ("precision", .string(runtime.precision.rawValue)), ("threads", .integer(runtime.threads)),
      ("operations", .number(observation.profile.operations)),
      ("weight_bytes", .integer(weightByteCount)),
      ("activation_bytes", .integer(observation.activationByteCount)),
      ("inputs", .array(inputs.map { ["name": .string($0.name), "shape": shape($0.shape)] })),
    ]
    if isPlanned {
      fields.append(
        (
          "modules",
          .array(
            observation.modules.map {
              [
                "path": .string($0.path.diffusers), "original": .string($0.path.ldm),
                "class": .string($0.className), "inputs": .array($0.inputs.map(shape)),
                "output": shape($0.output), "operations": .number($0.operations),
              ]
            })
        ))
      return .object(JSONObject(fields))
    }
    fields.append(
      (
        "outputs",
        .array(
          outputs.map {
            let m = Moments($0.value)
            return [
              "name": .string($0.name), "shape": shape($0.value.shape), "mean": .number(m.mean),
              "deviation": .number(m.deviation), "minimum": .number(m.least),
              "maximum": .number(m.most),
            ]
          })
      ))
    if !comparisons.isEmpty {
      fields.append(("tolerance", .number(tolerance)))
      fields.append(("comparisons", .array(comparisons.map { $0.json(tolerance) })))
    }
    if profile {
      fields.append(
        ("kinds", entries(observation.profile.kinds.map { ($0.key.rawValue, $0.value) })))
      fields.append(("blocks", entries(observation.profile.blocks.map { ($0.key, $0.value) })))
      fields.append(("ceiling", .number(runtime.measuredCeiling())))
    }
    fields.append(("load_seconds", .number(loadSeconds)))
    fields.append(("run_seconds", .number(runSeconds.last ?? 0)))
    fields.append(("runs", .array(runSeconds.map { .number($0) })))
    return .object(JSONObject(fields))
  }

  /// A number of operations: `803 G`.
  static func operations(_ value: Double) -> String {
    Written.approximately(Int(exactly: value.rounded()) ?? .max).replacing("B", with: "G")
  }

  /// Three significant digits.
  static func short(_ value: Double) -> String {
    guard value.isFinite else { return Written.decimal(value, digits: 0) }
    if value == 0 { return "0" }
    let size = abs(value)
    if size >= 0.01, size < 10_000 {
      return Written.decimal(value, digits: size < 10 ? 3 : size < 100 ? 2 : 1)
    }
    var exponent = 0, scaled = size
    while scaled >= 9.995 { (scaled, exponent) = (scaled / 10, exponent + 1) }
    while scaled < 0.9995 { (scaled, exponent) = (scaled * 10, exponent - 1) }
    return (value < 0 ? "-" : "") + Written.decimal(scaled, digits: 2) + "e\(exponent)"
  }
}

extension ForwardComparison {
  fileprivate func json(_ tolerance: Double) -> JSONValue {
    var fields: [(String, JSONValue)] = [
      ("name", .string(name)), ("ok", .bool(isWithin(tolerance))),
    ]
    switch result {
    case .compared(let d):
      fields += [
        ("largest", .number(d.largest)), ("in_deviations", .number(d.inDeviations)),
        ("relative", .number(d.relative)),
        ("position", .array(d.position.map { .integer($0) })),
      ]
    case .misshapen(let shape): fields.append(("shape", .array(shape.map { .integer($0) })))
    case .missing: fields.append(("missing", true))
    }
    return .object(JSONObject(fields))
  }
}

extension JSONValue {
  /// A number; `null` where it is none.
  static func number(_ value: Double) -> JSONValue { value.isFinite ? .double(value) : .null }
}

/// Mean, deviation and range of an array.
private struct Moments {
  var mean = 0.0, deviation = 0.0, least = Double.infinity, most = -Double.infinity

  init(_ array: FloatArray) {
    let count = Double(max(1, array.values.count))
    for value in array.values {
      mean += Double(value) / count
      least = min(least, Double(value))
      most = max(most, Double(value))
    }
    for value in array.values {
      deviation += (Double(value) - mean) * (Double(value) - mean) / count
    }
    deviation = deviation.squareRoot()
  }
}
