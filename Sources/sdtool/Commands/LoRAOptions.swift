public import ArgumentParser
import Inspection
import LoRA
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
    let name = output.split(separator: "/").last ?? ""
    let suffix = name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() }
    if let suffix, Self.otherSuffixes.contains(suffix) {
      throw ValidationError(
        "LoRAs are written as safetensors files: give --output the suffix .safetensors, not "
          + ".\(suffix)")
    }
  }

  /// What other kinds of files end in; programs choose how to read a file by its name.
  private static let otherSuffixes: Set<String> = [
    "ckpt", "pt", "pth", "bin", "pkl", "zip", "gguf", "onnx", "json", "yaml", "yml", "txt", "npz",
  ]

  /// Fails early if the output cannot be made, may not be replaced or is what is read, under
  /// whatever name.
  func check(inputs: [InputFile]) throws(Fault) {
    try checkOutput(output, inputs: inputs, byteCount: 0, replacing: force)
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

extension LoRAArgument {
  /// Reads what stands on the command line after `lora-add`.
  static func parsed(_ text: String) throws(ValidationError) -> LoRAArgument {
    let argument: LoRAArgument
    do throws(Fault) {
      argument = try LoRAArgument(text)
    } catch { throw ValidationError(error.sentence) }
    guard !argument.isFromPrompt else {
      throw ValidationError("'\(text)' is for prompts: give the path of the LoRA")
    }
    return argument
  }
}
