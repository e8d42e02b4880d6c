import ArgumentParser
import Checkpoint
import Inspection
import JSON
import LoRA
import StableDiffusion
import Tensors

extension SDTool {
  /// `sdtool lora-verify`: how strongly a LoRA was merged.
  struct LoRAVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "lora-verify",
      abstract: "Tells how strongly a LoRA was merged into a model.",
      discussion: """
        Compares a model with the same model after a LoRA was merged into it by whatever program, \
        and estimates the strength that was really used, block by block, by least squares. A \
        strength after the LoRA's path, written as for lora-merge, is what is expected.

        EXAMPLES
          sdtool lora-verify model.safetensors style.safetensors merged.safetensors
          sdtool lora-verify model.safetensors style.safetensors:0.8 merged.safetensors

        EXIT CODES
          0 as expected, 1 another strength or other differences, 2 cannot be read, 64 wrong usage
        """)

    @Argument(help: ArgumentHelp("The model before.", valueName: "base"))
    var base: String

    @Argument(
      help: ArgumentHelp("The LoRA, with the strength that is expected.", valueName: "lora"))
    var lora: String

    @Argument(help: ArgumentHelp("The model after.", valueName: "result"))
    var result: String

    @Option(help: "What DoRA magnitudes belong to where their shape does not tell: out or in.")
    var doraAxis: Magnitude.Axis?

    @Option(help: "What share of the change may be missing or too much, beside rounding.")
    var tolerance = 0.02

    @Flag(help: "Write JSON.")
    var json = false

    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func validate() throws {
      guard tolerance >= 0, tolerance.isFinite else {
        throw ValidationError("--tolerance is a share: 0.02 is 2 %")
      }
      try LoRAFinder(folder: nil, presetFile: nil).validate([lora])
    }

    func run() throws {
      let isClean = try orFail { () throws(Fault) in try verify() }
      if !isClean { throw ExitCode.findings }
    }

    private func verify() throws(Fault) -> Bool {
      let uses = try LoRAFinder(folder: nil, presetFile: nil).open([lora])
      guard let use = uses.first else { return false }
      // Without numbers after the path nothing in particular is expected.
      let isExpected = use.file.path != lora
      let found = try LoRAVerification(
        base: openModel(path: base), lora: use.file,
        expected: isExpected ? use.strength : LoRAStrength(), result: openModel(path: result),
        axis: doraAxis, width: machine.threads ?? availableProcessors)
      let rows = found.places.map { row in
        (row.place, row.estimate, isExpected ? expected(use, row.place) : nil)
      }
      let isClean =
        found.otherDifferences.isEmpty && found.missing.isEmpty
        && (!isExpected
          || found.places.allSatisfy { $0.estimate.isAsExpected(tolerance: tolerance) })
      if json {
        Terminal.write(try value(found, rows, isClean).serialized(pretty: true) + "\n")
      } else {
        Terminal.write(lines(found, rows).joined(separator: "\n") + "\n")
      }
      return isClean
    }

    /// The mean strength of the modules of a place.
    private func expected(_ use: LoRAUse, _ place: Place) -> Double? {
      let values = use.file.modules.filter { $0.target.place == place }
        .map { use.strength($0.target) }
      return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }

    /// The strength of all blocks, if they are to have one.
    private func strength(_ found: LoRAVerification, _ rows: [Row]) -> Double? {
      guard let strength = found.whole.strength else { return nil }
      let expected = rows.compactMap(\.2)
      guard let least = expected.min(), let most = expected.max() else { return strength }
      return most - least < 1e-9 ? strength * most : nil
    }

    private typealias Row = (Place, LoRAVerification.Estimate, Double?)

    private func lines(_ found: LoRAVerification, _ rows: [Row]) -> [String] {
      var table = TextTable([
        .init("block"), .init("tensors", .right), .init("strength", .right),
        .init("expected", .right), .init("not the LoRA's", .right),
      ])
      for (place, estimate, expected) in rows {
        let isOff = expected != nil && !estimate.isAsExpected(tolerance: tolerance)
        table.append([
          "\(LoRABlocks.name(place), .name)", "\(estimate.tensorCount)",
          "\(Self.written(estimate.strength), isOff ? .bad : .plain)",
          "\(expected.map { Written.decimal($0, digits: 4) } ?? "–")",
          "\(Written.decimal(estimate.residual * 100, digits: 2))%",
        ])
      }
      table.appendRule()
      table.append([
        "\("all", .strong)", "\(found.whole.tensorCount)",
        "\(Self.written(strength(found, rows)), .strong)", "",
        "\(Written.decimal(found.whole.residual * 100, digits: 2))%",
      ])
      var lines = table.lines(width: text.width, style: text.style)
      func note(_ line: StyledText) {
        lines += line.wrapped(to: text.width).map { $0.rendered(text.style) }
      }
      if let first = found.otherDifferences.first {
        note(
          "\("other differences", .caution): \(Written.count(found.otherDifferences.count, "tensor")) that the LoRA does not change, first \(first, .name)"
        )
      }
      if let first = found.missing.first {
        note(
          "\("missing", .caution): \(Written.count(found.missing.count, "tensor")) in the result, first \(first, .name)"
        )
      }
      return lines
    }

    private static func written(_ strength: Double?) -> String {
      strength.map { Written.decimal($0, digits: 4) } ?? "–"
    }

    private func value(
      _ found: LoRAVerification, _ rows: [Row], _ isClean: Bool
    ) -> JSONValue {
      func number(_ value: Double?) -> JSONValue { value.map { .double($0) } ?? .null }
      return [
        "base": .string(base), "lora": .string(lora), "result": .string(result),
        "as_expected": .bool(isClean), "strength": number(strength(found, rows)),
        "residual": .double(found.whole.residual),
        "blocks": .array(
          rows.map { place, estimate, expected in
            [
              "block": .string(LoRABlocks.name(place)), "tensors": .integer(estimate.tensorCount),
              "strength": number(estimate.strength), "expected": number(expected),
              "residual": .double(estimate.residual),
            ]
          }),
        "other_differences": .array(found.otherDifferences.map { .string($0.string) }),
        "missing": .array(found.missing.map { .string($0.string) }),
      ]
    }
  }
}
