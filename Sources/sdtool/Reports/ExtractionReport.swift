import Inspection
import JSON
import LoRA
import LoRAEdit
import StableDiffusion
import Tensors

/// What an extraction found and wrote: for people and for programs.
struct ExtractionReport {
  let extraction: LoRAExtraction
  let settings: ExtractionSettings
  let result: ExtractedLoRA
  let tuned: String
  let base: String
  let output: String
  let seconds: Double

  func lines(width: Int, listWidth: Int, style: Style, listing: Bool) -> [String] {
    let head: [StyledText] = ["\(tuned, .name) − \(base, .name)"]
    let lines = (head + summary).flatMap { $0.wrapped(to: width) }.map { $0.rendered(style) }
    if listing {
      var table = TextTable([
        .init("module", shrinks: true), .init("rank", .right), .init("change", .right),
        .init("error", .right), .init("best", .right), .init("remark"),
      ])
      for module in result.modules {
        table.append([
          "\(module.target.target.kohyaName, .name)", "\(module.rank)",
          EditedLoRAReport.error(module.relativeChange),
          module.rank > 0 ? EditedLoRAReport.error(module.error) : "",
          module.rank > 0 ? EditedLoRAReport.error(best(module)) : "",
          "\(module.omission?.rawValue ?? "", .note)",
        ])
      }
      return lines + [""] + table.lines(width: listWidth, style: style)
    }
    return lines + [""] + placeTable(width: width, style: style)
  }

  private func best(_ module: ExtractedModule) -> Double {
    module.energy > 0 ? (module.optimum / module.energy).squareRoot() : 0
  }

  private func placeTable(width: Int, style: Style) -> [String] {
    var table = TextTable([
      .init("block"), .init("modules", .right), .init("written", .right), .init("rank", .right),
      .init("change", .right), .init("error", .right),
    ])
    for place in Place.allCases {
      let modules = result.modules.filter { $0.target.target.place == place }
      guard !modules.isEmpty else { continue }
      let written = modules.filter { $0.rank > 0 }
      let energy = modules.reduce(0) { $0 + $1.energy }
      let base = modules.reduce(0) { $0 + $1.baseEnergy }
      let kept = written.reduce(0) { $0 + $1.energy }
      let lost = written.reduce(0) { $0 + $1.lost }
      table.append([
        "\(LoRABlocks.name(place), .name)", "\(modules.count)", "\(written.count)",
        "\(RankSpan(written.map(\.rank)).short)",
        EditedLoRAReport.error(base > 0 ? (energy / base).squareRoot() : 0),
        written.isEmpty ? "" : EditedLoRAReport.error(kept > 0 ? (lost / kept).squareRoot() : 0),
      ])
    }
    return table.lines(width: width, style: style)
  }

  private func omitted(_ omission: ExtractedModule.Omission) -> [ExtractedModule] {
    result.modules.filter { $0.omission == omission }
  }

  private var summary: [StyledText] {
    var lines: [StyledText] = []
    lines.append(
      "error     \(EditedLoRAReport.error(result.error)) of ‖ΔW‖ over all that is written; the least for these ranks is \(EditedLoRAReport.error(result.optimalError))"
        + (settings.isExact ? "" : " (estimated)"))
    let unchanged = omitted(.unchanged)
    if !unchanged.isEmpty {
      lines.append("the same  \(Written.count(unchanged.count, "module"))")
    }
    let gated = omitted(.belowGate)
    if let largest = gated.map(\.relativeChange).max() {
      lines.append(
        "\("left out", .note)  \(Written.count(gated.count, "module")) below the gate; the most changed by \(EditedLoRAReport.error(largest))"
      )
    }
    let unwanted = omitted(.notWanted)
    if !unwanted.isEmpty {
      lines.append("\("left out", .note)  \(Written.count(unwanted.count, "convolution")), rank 0")
    }
    for mismatch in extraction.mismatches {
      lines.append(
        "\("left out", .caution)  \(mismatch.target.kohyaName, .name): \(mismatch.tuned) and \(mismatch.base)"
      )
    }
    lines += LoRAFileSummary(output: result.output, path: output, seconds: seconds).lines
    return lines
  }

  var json: JSONValue {
    [
      "tuned": .string(tuned), "base": .string(base), "target": settings.target.json,
      "seed": .integer(Int(truncatingIfNeeded: settings.seed)),
      "full_svd": .bool(settings.isExact), "error": .double(result.error),
      "optimal_error": .double(result.optimalError),
      "modules": .array(
        result.modules.map {
          [
            "name": .string($0.target.target.kohyaName),
            "place": .string("\($0.target.target.place)"), "rank": .integer($0.rank),
            "change": .double($0.relativeChange.isFinite ? $0.relativeChange : 0),
            "norm": .double($0.energy.squareRoot()),
            "error": .double($0.error), "optimal_error": .double(best($0)),
            "omitted": $0.omission.map { .string($0.rawValue) } ?? .null,
          ]
        }),
      "shapes_differ": .array(
        extraction.mismatches.map {
          [
            "name": .string($0.target.kohyaName),
            "tuned": .array($0.tuned.map { .integer($0) }),
            "base": .array($0.base.map { .integer($0) }),
          ]
        }),
      "output": LoRAFileSummary(output: result.output, path: output, seconds: seconds).json,
    ]
  }
}
