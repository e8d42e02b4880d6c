import ArgumentParser
import Checkpoint
import Comparison
import Drawing
import Generation
import Inference
import Inspection
import JSON
import Layouts
import LinearAlgebra
import LoRA
import LoRAEdit
import Merge
import Pictures
import Prompts
import SafeTensors
import Sampling
import StableDiffusion
import Tensors

/// Every rule that a finding can name, by identifier.
let allRules: [Rule] =
  (Rule.fileRules + Rule.foreignRules + Rule.jsonRules + Rule.safeTensorsRules
  + Rule.checkpointRules + Rule.folderRules + Rule.schemaRules + Rule.conversionRules
  + Rule.baselineRules + Rule.mergeMethodRules + Rule.weightRules + Rule.recipeRules
  + Rule.mergeRules + Rule.loraRules + Rule.loraEditRules + Rule.linearAlgebraRules
  + Rule.comparisonRules + Rule.drawingRules + Rule.inferenceRules + Rule.samplingRules
  + Rule.promptRules + Rule.generationRules + Rule.pictureRules)
  .sorted { $0.id < $1.id }

extension SDTool {
  /// The command `sdtool rules`, which tells what findings mean.
  struct Rules: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Explains what findings mean.",
      discussion: """
        Without arguments all rules are listed; with identifiers each is explained.

        EXAMPLES
          sdtool rules
          sdtool rules ST024 SD106
        """)

    @Argument(help: ArgumentHelp("Identifiers, for example ST024.", valueName: "id"))
    var identifiers: [String] = []

    @Flag(help: "Write JSON.")
    var json = false

    @OptionGroup var text: OutputOptions

    func validate() throws {
      for identifier in identifiers where rule(identifier) == nil {
        let near = nearest(to: identifier.uppercased(), in: allRules.map(\.id))
        throw ValidationError(
          "there is no rule '\(identifier.sanitized)'"
            + (near.map { "; did you mean \($0)?" } ?? ""))
      }
    }

    func run() throws {
      let rules = identifiers.isEmpty ? allRules : identifiers.compactMap(rule)
      if json {
        try orFail { () throws(Fault) in
          let value = JSONValue.array(
            rules.map {
              [
                "id": .string($0.id), "severity": .string($0.severity.rawValue),
                "title": .string($0.title), "explanation": .string($0.explanation),
              ]
            })
          Terminal.write(try value.serialized(pretty: true) + "\n")
        }
        return
      }
      let style = text.style
      if identifiers.isEmpty {
        var table = TextTable([.init("rule"), .init("severity"), .init("what", shrinks: true)])
        for rule in rules {
          table.append([
            "\(rule.id, .name)", "\(rule.severity.rawValue, rule.severity.ink)", "\(rule.title)",
          ])
        }
        Terminal.write(table.lines(width: text.width, style: style).joined(separator: "\n") + "\n")
        return
      }
      let paragraphs = rules.map { rule -> String in
        let heading: StyledText =
          "\(rule.id, .name)  \(rule.title, .strong)  \(rule.severity.rawValue, rule.severity.ink)"
        let body = StyledText(rule.explanation).wrapped(to: min(text.width, 90))
        return ([heading] + body).map { $0.rendered(style) }.joined(separator: "\n")
      }
      Terminal.write(paragraphs.joined(separator: "\n\n") + "\n")
    }

    private func rule(_ identifier: String) -> Rule? {
      allRules.first { $0.id == identifier.uppercased() }
    }
  }
}
