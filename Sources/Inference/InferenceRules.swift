public import Tensors

// What can be wrong with running a model.
extension Rule {
  /// The processor lacks what a precision needs.
  public static let unsupportedPrecision = Rule(
    "FW001", .fatal, "the processor cannot compute in this precision",
    "Computing in bf16 needs a processor with AVX-512 and its BF16 instructions (Intel since Cooper "
      + "Lake and Sapphire Rapids, AMD since Zen 4). On others it would be slower than f32 and no "
      + "more exact, so it is refused. Use --precision f32, or reference.")
  /// The model does not have the component that shall run.
  public static let missingComponent = Rule(
    "FW002", .fatal, "the component to run is not in the model",
    "The file holds other parts of a model than the one that shall run: a VAE or a U-Net alone, for "
      + "example. Name a file that has it.")
  /// A tensor without which a component cannot run is missing.
  public static let missingWeight = Rule(
    "FW003", .fatal, "a weight is missing",
    "A component can run only if every weight of it is there. 'sdtool validate' lists all that are "
      + "missing; where it came from an interrupted download or a partial merge, make it again.")
  /// A tensor has a shape that does not fit the network.
  public static let unusableWeight = Rule(
    "FW004", .fatal, "a weight cannot be used",
    "The shape or the type of the tensor does not fit the network. 'sdtool validate' lists all such "
      + "tensors.")
  /// It is no Stable Diffusion 1.x model.
  public static let notRunnable = Rule(
    "FW005", .fatal, "another kind of model",
    "Only models with the structure of Stable Diffusion 1.x run here: not SDXL, SD 2 or Flux, and a "
      + "LoRA only together with the model it changes.")
  /// The input of a network has a shape that it cannot take.
  public static let badInput = Rule(
    "FW006", .fatal, "the input does not fit the network",
    "The number of axes, the channels, the size or the number of tokens is not what the network "
      + "takes. The message says what it takes; --shapes prints it for every module.")
  /// A NaN or an infinity came up in the network.
  public static let nonFiniteActivation = Rule(
    "FW007", .error, "not a number in the network",
    "A module gave NaN or infinity for finite inputs, and the picture would be black. The message "
      + "names the first such module. Its weights hold NaN, or values that grew too large: often "
      + "a merge with extreme weights, a damaged file, or a VAE that needs single precision.")
  /// There is not enough memory.
  public static let outOfMemory = Rule(
    "FW008", .fatal, "not enough memory",
    "Weights and activations together need more memory than is free. Use a smaller size or batch, "
      + "or --precision bf16, which needs half.")

  /// A component gives numbers that cannot be right.
  public static let implausibleActivation = Rule(
    "FW009", .warning, "results are out of range",
    "A component ran, but what it gives is far larger than in any model that works, or the same "
      + "everywhere. Its weights are finite, but probably scaled or merged wrongly.")

  /// A merge gives numbers of another size than its inputs.
  public static let unlikeInputs = Rule(
    "FW010", .warning, "results are unlike those of the inputs",
    "The metadata name the models that this one was merged from. On the same input its results vary "
      + "more than twice as much as those of all of them, or less than half as much, so that "
      + "something was probably scaled wrongly. Their files were found beside the model, or by "
      + "--inputs.")

  /// oneDNN is not there.
  public static let libraryMissing = Rule(
    "FW011", .fatal, "oneDNN is missing",
    "Most convolutions and matrix products in f32 and bf16 are computed by oneDNN, which is loaded when "
      + "a model runs: libdnnl.so.3, or libdnnl.so.2 of Debian 12. On Debian install libdnnl2 (12) or "
      + "libdnnl3 (13), on Ubuntu libdnnl2 or libdnnl3, on Fedora onednn, on Arch onednn, on Alpine "
      + "onednn. Without it use --precision reference, which is slower.")

  /// All rules about running a model.
  public static let inferenceRules: [Rule] = [
    .unsupportedPrecision, .missingComponent, .missingWeight, .unusableWeight, .notRunnable,
    .badInput, .nonFiniteActivation, .outOfMemory, .implausibleActivation, .unlikeInputs,
    .libraryMissing,
  ]
}

extension Fault {
  /// There is no memory for what is to be done.
  static func noMemory(_ byteCount: Int? = nil) -> Fault {
    Fault(
      .outOfMemory,
      byteCount.map { "cannot get \($0 >> 20) MiB of memory" } ?? "cannot get more memory",
      hint: "use a smaller size or batch, or --precision bf16")
  }
}
