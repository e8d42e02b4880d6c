public import Tensors

// What can go wrong when a model is converted.
extension Rule {
  /// A value is too large for the type it is converted to.
  public static let overflow = Rule(
    "CV001", .error, "values too large for the type",
    "The tensor has finite values beyond the range of the type it should be converted to, for "
      + "example beyond ±65,504 for F16: they would become infinite, and the model would make "
      + "black pictures. Convert to BF16, keep F32 for such tensors (--overflow keep-f32), or "
      + "limit the values (--overflow clamp).")
  /// There is no way from one type to another.
  public static let noConversion = Rule(
    "CV002", .error, "type cannot be converted",
    "Values packed below a byte (F4, F6) and complex numbers cannot be converted to another type. "
      + "Leave their type as it is with --dtype keep.")
  /// Nothing is left.
  public static let nothingToWrite = Rule(
    "CV004", .error, "nothing to write",
    "After everything that should be left out there is no tensor left, or the layout has no place "
      + "for any of them.")
  /// The weights are useless without their scales.
  public static let scaledWeights = Rule(
    "CV005", .error, "8-bit weights with scales",
    "The model stores weights in 8 bits and their scales in tensors of their own. Renaming or "
      + "converting the weights alone would separate the two. Only copies that keep all names and "
      + "types can be made; take the original model for anything else.")
  /// The moving average cannot take the place of the weights.
  public static let noAverage = Rule(
    "CV006", .error, "no complete moving average",
    "The moving average (--ema) can only take the place of the U-Net when the file has it for "
      + "every one of its tensors: a mixture of both would be neither.")
  /// The VAE that should be put in does not fit.
  public static let unfitVAE = Rule(
    "CV007", .error, "VAE does not fit",
    "The VAE that should take the place of the model's own is not there, is incomplete or has "
      + "other widths. Give a file with a whole VAE of Stable Diffusion 1.x.")
  /// Two tensors would have one name.
  public static let nameClash = Rule(
    "CV008", .error, "two tensors of one name",
    "In the output two tensors would have the same name, so that one of them would be lost. Leave "
      + "one out with --discard.")
  /// The request makes no sense for this kind of model.
  public static let unmappedModel = Rule(
    "CV009", .error, "structure not known",
    "What was asked for needs to know what each tensor is for, and that is known for Stable "
      + "Diffusion 1.x only. Models of other kinds can be copied between safetensors and PyTorch "
      + "files, with another type if wanted; names and shapes stay as they are.")

  /// All rules about conversions.
  public static let conversionRules: [Rule] = [
    .overflow, .noConversion, .nothingToWrite, .scaledWeights, .noAverage,
    .unfitVAE, .nameClash, .unmappedModel,
  ]
}

extension Fault {
  /// Values of `tensor` would become infinite.
  static func overflow(_ tensor: TensorInfo, _ type: DType) -> Fault {
    Fault(
      .overflow, "has values that \(type) cannot hold", tensor: tensor.name,
      hint: "use --overflow keep-f32, --overflow clamp or --dtype bf16")
  }
}
