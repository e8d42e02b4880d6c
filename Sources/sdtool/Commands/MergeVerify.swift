import Checkpoint
import Inspection
import JSON
import Merge
import Tensors

extension SDTool.Merge {
  /// Compares what would be merged with the model at `path`, and prints what differs.
  ///
  /// - Returns: whether they are the same.
  func verify(_ planned: RecipePlan, _ path: String) throws(Fault) -> Bool {
    let model = try openModel(path: path, variant: policies.variant)
    var planned = planned
    if planned.recipe.policies.overflow == .keepF32 {
      // Which tensors are stored wider is known from their values only.
      planned = planned.storingSingles(
        try planned.result.overflowingTensors(width: threads), width: threads)
    }
    let progress = Progress(
      total: planned.plan.bytesToWrite, isShown: !quiet && !json, label: "comparing")
    let differences: [Fault]
    do {
      defer { _ = progress.finish() }
      differences = try planned.result.differences(
        from: model, width: threads, progress: progress.add)
    }
    try model.checkUnchanged()
    try planned.result.checkUnchanged()
    if json {
      let value: JSONValue = [
        "schema": "sdtool-verification/1", "path": .string(path),
        "same": .bool(differences.isEmpty),
        "tensors": .integer(planned.plan.tensors.count), "recipe": planned.recipe.json,
        "differences": .array(differences.map(\.jsonValue)),
      ]
      Terminal.write(try value.serialized(pretty: true) + "\n")
    } else if differences.isEmpty {
      if !quiet {
        let count = Written.count(planned.plan.tensors.count, "tensor")
        let line: StyledText =
          "\("verified", .good)  \(path, .name) is what the recipe makes: \(count)"
        Terminal.write(line.rendered(text.style) + "\n")
      }
    } else {
      for difference in differences.prefix(Self.listedDifferences) {
        Terminal.writeError("sdtool: " + difference.description.sanitized)
      }
      if differences.count > Self.listedDifferences {
        let rest = differences.count - Self.listedDifferences
        let words = Written.count(rest, "more tensor differs", "more tensors differ")
        Terminal.writeError("sdtool: " + words)
      }
    }
    return differences.isEmpty
  }

  /// How many differences are named.
  private static var listedDifferences: Int { 10 }
}
