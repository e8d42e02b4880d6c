public import ArgumentParser
import Inspection
public import LoRAEdit
import Tensors

extension LoRADialect: ExpressibleByArgument {}

/// How much of a LoRA is kept.
struct RankOptions: ParsableArguments {
  @Option(help: ArgumentHelp("One rank for all modules.", valueName: "number"))
  var rank: Int?

  @Option(
    help: ArgumentHelp(
      "The rank of 3×3 convolutions, with --rank; 0 leaves them out.", valueName: "number"))
  var convRank: Int?

  @Option(
    help: ArgumentHelp(
      "The lowest rank that keeps this share of each change's squared norm, for example 0.99.",
      valueName: "share"))
  var energy: Double?

  @Option(
    help: ArgumentHelp(
      "The lowest rank with at most this error, relative to each change.", valueName: "share"))
  var error: Double?

  /// The targets that were given.
  var targets: [RankTarget] {
    var targets: [RankTarget] = []
    if let rank { targets.append(.rank(rank, kernels: convRank)) }
    if let energy { targets.append(.energy(energy)) }
    if let error { targets.append(.error(error)) }
    return targets
  }

  func validate() throws {
    if convRank != nil, rank == nil { throw ValidationError("--conv-rank goes with --rank") }
    for target in targets {
      do throws(Fault) {
        try target.check()
      } catch { throw ValidationError(error.sentence) }
    }
  }
}

/// A size in the units of shops: `40`, `40MB`, `1.5GB`; without a unit in MB.
struct SizeArgument: ExpressibleByArgument {
  let byteCount: Int

  init?(argument: String) {
    let units = [("kb", 1e3), ("mb", 1e6), ("gb", 1e9)]
    let text = argument.lowercased()
    let unit = units.first { text.hasSuffix($0.0) }
    let number = unit == nil ? text[...] : text.dropLast(2)
    guard let value = Double(number.filter { $0 != " " }), value > 0, value.isFinite,
      let bytes = Int(exactly: (value * (unit?.1 ?? 1e6)).rounded())
    else { return nil }
    byteCount = bytes
  }
}

/// How a LoRA is written.
struct LoRAOutputOptions: ParsableArguments {
  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("The safetensors file to make.", valueName: "path"))
  var output: String

  @Option(
    help: ArgumentHelp(
      "Type of the factors: f16, bf16 or f32.", valueName: "type"))
  var dtype: FactorType?

  @Flag(help: "Replace an existing output.")
  var force = false

  @Flag(help: "List every module.")
  var list = false

  @Flag(help: "Write JSON.")
  var json = false

  @Flag(help: "Say nothing, unless it fails.")
  var quiet = false

  func validate() throws {
    if output.isEmpty { throw ValidationError("--output must not be empty") }
  }

  /// Fails early if the output is there and may not be replaced.
  func check() throws(Fault) {
    guard !force, (try? InputFile(path: output)) != nil else { return }
    throw Fault(
      .outputExists, "exists already", path: output, hint: "give another name, or --force")
  }
}

/// A type that factors are written in.
struct FactorType: ExpressibleByArgument {
  let dtype: DType

  init?(argument: String) {
    switch argument.lowercased() {
    case "f32", "fp32": dtype = .f32
    case "f16", "fp16": dtype = .f16
    case "bf16": dtype = .bf16
    default: return nil
    }
  }
}

/// A LoRA with its strength, as in `style.safetensors:0.7:te=0.5`.
struct WeightedLoRA: ExpressibleByArgument {
  let path: String
  let unet: Double
  let textEncoder: Double

  init?(argument: String) {
    var parts = argument.split(separator: ":", omittingEmptySubsequences: false)
    var unet: Double?
    var text: Double?
    var both: Double?
    while parts.count > 1, let last = parts.last {
      if last.hasPrefix("te="), text == nil {
        guard let value = Double(last.dropFirst(3)) else { return nil }
        text = value
      } else if last.hasPrefix("unet="), unet == nil {
        guard let value = Double(last.dropFirst(5)) else { return nil }
        unet = value
      } else if let value = Double(last), both == nil {
        both = value
      } else {
        break
      }
      parts.removeLast()
    }
    path = parts.joined(separator: ":")
    self.unet = unet ?? both ?? 1
    textEncoder = text ?? both ?? 1
    guard !path.isEmpty, self.unet.isFinite, textEncoder.isFinite else { return nil }
  }
}
