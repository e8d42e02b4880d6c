import Inspection
import JSON
import LoRA
import LoRAEdit
import StableDiffusion
import Tensors

/// What became of LoRAs that were added or resized: for people and for programs.
struct EditedLoRAReport {
  let inputs: [LoRASum.Term]
  let target: RankTarget
  let result: EditedLoRA
  let output: String
  let seconds: Double

  func print(_ options: LoRAOutputOptions, _ text: OutputOptions) throws(Fault) {
    if options.json {
      Terminal.write(try json.serialized(pretty: true) + "\n")
    } else if !options.quiet {
      let lines = lines(
        width: text.width, listWidth: text.listWidth, style: text.style, listing: options.list)
      Terminal.write(lines.joined(separator: "\n") + "\n")
    }
  }

  func lines(width: Int, listWidth: Int, style: Style, listing: Bool) -> [String] {
    var head: [StyledText] = []
    for input in inputs {
      let ranks = input.file.modules.compactMap(\.scale.rank)
      head.append(
        "\(input.file.path, .name): \(Written.count(input.file.modules.count, "module")), \(RankSpan(ranks).text), \(input.file.spelling.title)"
      )
      head.append("  strength \(input.strength.title, .strong)")
    }
    let lines = (head + summary).flatMap { $0.wrapped(to: width) }.map { $0.rendered(style) }
    if listing {
      var table = TextTable([
        .init("module", shrinks: true), .init("rank", .right), .init("of", .right),
        .init("‖ΔW‖", .right), .init("error", .right),
      ])
      for module in result.modules {
        table.append([
          "\(module.target.target.kohyaName, .name)", "\(module.rank)", "\(module.rankBefore)",
          "\(Written.significant(module.energy.squareRoot()))", Self.error(module.error),
        ])
      }
      return lines + [""] + table.lines(width: listWidth, style: style)
    }
    return lines + [""] + placeTable(width: width, style: style)
  }

  /// One line a place.
  private func placeTable(width: Int, style: Style) -> [String] {
    var table = TextTable([
      .init("block"), .init("modules", .right), .init("rank", .right), .init("of", .right),
      .init("‖ΔW‖", .right), .init("error", .right),
    ])
    for place in Place.allCases {
      let modules = result.modules.filter { $0.target.target.place == place }
      guard !modules.isEmpty else { continue }
      let energy = modules.reduce(0) { $0 + $1.energy }
      let lost = modules.reduce(0) { $0 + max(0, $1.lost) }
      table.append([
        "\(LoRABlocks.name(place), .name)", "\(modules.count)",
        "\(RankSpan(modules.map(\.rank)).short)",
        "\(RankSpan(modules.map(\.rankBefore)).short)",
        "\(Written.significant(energy.squareRoot()))",
        Self.error(energy > 0 ? (lost / energy).squareRoot() : 0),
      ])
    }
    return table.lines(width: width, style: style)
  }

  private var summary: [StyledText] {
    var lines: [StyledText] = []
    let rounding: StyledText =
      "rounding  \(Self.error(result.roundingError)) of ‖ΔW‖, by the type of the factors"
    if case .exact = target {
      lines.append("\("exact", .good)     all factors side by side")
      lines.append(rounding)
    } else {
      lines.append("error     \(Self.error(result.error)) of ‖ΔW‖ over all modules")
      let worst = result.modules.filter { $0.error > 0 }
        .sorted { ($1.error, $0.target.target.kohyaName) < ($0.error, $1.target.target.kohyaName) }
      if let first = worst.first {
        lines.append(
          "most      \(Self.error(first.error)) in \(first.target.target.kohyaName, .name)")
      }
    }
    if case .exact = target {} else { lines.append(rounding) }
    let dropped = result.modules.count { $0.rank == 0 && $0.rankBefore > 0 }
    if dropped > 0 {
      lines.append("\("left out", .caution)  \(Written.count(dropped, "module")) of rank 0")
    }
    lines += LoRAFileSummary(output: result.output, path: output, seconds: seconds).lines
    return lines
  }

  static func error(_ value: Double) -> StyledText {
    value == 0
      ? "0" : value < 1e-4 ? "\("<0.01%", .faint)" : "\(Written.decimal(value * 100, digits: 2))%"
  }

  var json: JSONValue {
    [
      "inputs": .array(
        inputs.map {
          var object: JSONObject = [
            "path": .string($0.file.path), "unet": .double($0.unet),
            "text_encoder": .double($0.textEncoder), "modules": .integer($0.file.modules.count),
            "spelling": .string($0.file.spelling.title),
          ]
          $0.strength.addWeights(to: &object)
          return .object(object)
        }),
      "target": target.json, "error": .double(result.error),
      "rounding_error": .double(result.roundingError),
      "modules": .array(
        result.modules.map {
          [
            "name": .string($0.target.target.kohyaName),
            "place": .string("\($0.target.target.place)"), "rank": .integer($0.rank),
            "rank_before": .integer($0.rankBefore), "norm": .double($0.energy.squareRoot()),
            "error": .double($0.error),
          ]
        }),
      "output": LoRAFileSummary(output: result.output, path: output, seconds: seconds).json,
    ]
  }
}

/// The lowest and the highest rank of several modules.
struct RankSpan {
  let ranks: [Int]
  init(_ ranks: [Int]) { self.ranks = ranks }

  /// `4`, or `4–32`.
  var short: String {
    guard let low = ranks.min(), let high = ranks.max() else { return "–" }
    return low == high ? "\(low)" : "\(low)–\(high)"
  }
  /// `rank 4`, or `ranks 4–32`.
  var text: String {
    guard let low = ranks.min(), let high = ranks.max() else { return "no rank" }
    return low == high ? "rank \(low)" : "ranks \(low)–\(high)"
  }
}

extension RankTarget {
  var json: JSONValue {
    switch self {
    case .exact: ["kind": "exact"]
    case .rank(let rank, let kernels):
      [
        "kind": "rank", "rank": .integer(rank),
        "conv_rank": kernels.map { .integer($0) } ?? .integer(rank),
      ]
    case .energy(let share): ["kind": "energy", "energy": .double(share)]
    case .error(let error): ["kind": "error", "error": .double(error)]
    case .size(let bytes): ["kind": "size", "bytes": .integer(bytes)]
    }
  }
}

/// A LoRA file that was written: its size and the hashes by which others know it.
struct LoRAFileSummary {
  let output: LoRAOutput
  let path: String
  let seconds: Double

  var lines: [StyledText] {
    [
      "\("wrote", .good)     \(path, .name), \(Written.fileSize(output.byteCount)) in \(Written.duration(seconds: seconds))",
      "hashes    \("AutoV2", .faint) \(output.autoV2)  \("AutoV3", .faint) \(output.autoV3)",
    ]
  }

  var json: JSONValue {
    [
      "path": .string(path), "bytes": .integer(output.byteCount),
      "tensors": .integer(output.tensors.count), "autov2": .string(output.autoV2),
      "autov3": .string(output.autoV3), "sha256": .string(output.sha256),
      "sshs_model_hash": .string(output.dataSHA256),
      "sshs_legacy_hash": .string(output.legacyHash), "seconds": .double(seconds),
    ]
  }
}

extension Written {
  /// A positive number with three significant digits: `0.0123`, `1.23`, `123`, `1.2e-05`.
  static func significant(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
    switch value.magnitude {
    case 99.95...1e6: return decimal(value, digits: 0)
    case 9.995..<99.95: return decimal(value, digits: 1)
    case 0.9995..<9.995: return decimal(value, digits: 2)
    case 0.09995..<0.9995: return decimal(value, digits: 3)
    case 0.009995..<0.09995: return decimal(value, digits: 4)
    default:
      var mantissa = value
      var exponent = 0
      while mantissa.magnitude < 0.9995 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
      while mantissa.magnitude >= 9.995 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
      return decimal(mantissa, digits: 2) + "e\(exponent)"
    }
  }
}
