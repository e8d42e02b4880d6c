import JSON
import StableDiffusion

/// What was read for one of several models; the rest was in memory already.
struct ModelReading {
  /// The tensors that were read, or merged.
  private(set) var tensorCount = 0
  /// The tensors that were there already.
  var keptCount = 0
  /// The places in the network that they belong to.
  private(set) var blocks: Set<Place> = []

  /// Adds what was read of one part.
  mutating func add(_ parameters: [Parameter]) {
    tensorCount += parameters.count
    blocks.formUnion(parameters.map(\.place))
  }

  /// For programs.
  var json: JSONValue {
    [
      "merged_tensors": .integer(tensorCount), "kept_tensors": .integer(keptCount),
      "merged_blocks": .array(blocks.sorted().map { .string("\($0)") }),
    ]
  }
}
