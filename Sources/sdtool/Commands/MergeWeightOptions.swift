import ArgumentParser
import Merge
import Tensors

/// The weights of a merge, as `sdtool merge` and `sdtool mbw` take them.
struct MergeWeightOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The weight of the second model, or α of another method.", valueName: "number"))
  var alpha: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Block weights: 25 or 26 numbers with commas, a preset's name, or two presets: "
        + "GRAD_V..GRAD_A@0.3.", valueName: "weights"))
  var mbw: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The weight of text encoder and VAE with --mbw.", valueName: "number"))
  var baseAlpha: Double?

  @Option(
    help: ArgumentHelp(
      "The weight of a place, a range, or BASE: CLIP=0.2, IN03..IN05=0.5, VAE=keep.",
      valueName: "place=number"))
  var block: [String] = []

  @Option(
    help: ArgumentHelp(
      "Elemental rules BLOCKS:ELEMENTS:RATIO: OUT03-OUT05:attn2 attn1.to_out:0.5.",
      valueName: "rules"))
  var elemental: [String] = []

  @Option(
    help: ArgumentHelp(
      "Whose convention says which weight time embedding, output layers, VAE and text encoder "
        + "take: \(Dialect.all.map(\.name).joined(separator: ", ")).", valueName: "name"))
  var mbwDialect: String?

  @Option(
    help: ArgumentHelp(
      "Read presets from a file of bbc-mc, SuperMerger, sd-meh or SD.Next.", valueName: "file"))
  var presets: [String] = []

  func validate() throws {
    for value in [alpha, baseAlpha] where value?.isFinite == false {
      throw ValidationError("weights must be finite numbers")
    }
  }

  /// The convention.
  func dialect() throws(Fault) -> Dialect {
    guard let mbwDialect else { return .mbw }
    return try option("--mbw-dialect") { () throws(Fault) in try Dialect(named: mbwDialect) }
  }

  /// The classic presets and those of the files; bad lines are reported on standard error.
  func library() throws(Fault) -> PresetLibrary {
    var library = PresetLibrary.classic
    for path in presets {
      let input = try InputFile(path: path)
      do throws(Fault) {
        let limit = min(input.byteCount, PresetFile.maximumByteCount + 1)
        let file = try PresetFile(parsing: input.read(at: 0, count: limit))
        for preset in file.presets { library.add(preset) }
        for problem in file.problems {
          Terminal.writeError("sdtool: " + problem.at(path).description)
        }
      } catch { throw error.at(path) }
    }
    return library
  }

  /// Whether any weight was given.
  var isEmpty: Bool {
    alpha == nil && mbw == nil && baseAlpha == nil && block.isEmpty && elemental.isEmpty
  }

  /// Everything that was said about α; `nil` if nothing was.
  func specification() throws(Fault) -> WeightSpecification? {
    guard !isEmpty else { return nil }
    let library = try library()
    var specification = WeightSpecification(alpha: alpha, baseAlpha: baseAlpha)
    specification.blocks = try mbw.map { text throws(Fault) in
      try option("--mbw") { () throws(Fault) in try BlockWeights(text, presets: library) }
    }
    for text in block {
      let setting = try option("--block") { () throws(Fault) in try PlaceSetting(text) }
      specification.settings.append(setting)
    }
    specification.elements = try option("--elemental") { () throws(Fault) in
      try ElementalRules(elemental.joined(separator: "\n"))
    }
    return specification
  }
}

/// Names the option in whose value a fault was found.
func option<Value>(_ name: String, _ read: () throws(Fault) -> Value) throws(Fault) -> Value {
  do throws(Fault) { return try read() } catch { throw error.at(name) }
}
