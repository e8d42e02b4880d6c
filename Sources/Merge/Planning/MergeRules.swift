public import Tensors

extension Rule {
  /// An input is no model that can be merged.
  public static let mergeArchitecture = Rule(
    "MX001", .fatal, "model of another architecture",
    "Only models built like Stable Diffusion 1.x can be merged, and with each other only: the "
      + "tensors of two architectures do not correspond, even where their names do.")
  /// Tensors that should be merged have different shapes.
  public static let mergeShape = Rule(
    "MX002", .error, "shapes differ",
    "A tensor has another shape in one input than in the others, so that no value corresponds to "
      + "another. The models have different widths, or one is damaged. The first convolution of "
      + "an inpainting or InstructPix2Pix model is the exception, see --conv-in.")
  /// A tensor is not in all inputs.
  public static let mergeMissing = Rule(
    "MX003", .error, "tensor missing in an input",
    "With --missing error every input must hold every tensor. By default a tensor that some input "
      + "lacks is taken from the first one that has it, and listed in the report.")
  /// A tensor belongs to nothing known.
  public static let mergeUnknown = Rule(
    "MX004", .error, "unknown tensor",
    "With --unknown error no input may hold a tensor that belongs to nothing known. By default "
      + "such tensors are copied from the first input that has them, and listed in the report.")
  /// The type of a tensor cannot be computed with.
  public static let mergeType = Rule(
    "MX005", .error, "type cannot be merged",
    "The tensor holds integers, or numbers packed below a byte, or weights that only make sense "
      + "together with separate scales. Convert the model to F16 first.")
  /// An input holds a value that is not finite.
  public static let mergeNonFinite = Rule(
    "MX006", .error, "infinite or NaN value in an input",
    "A weight is infinite or not a number, and would spread to the merged model, whose pictures "
      + "would be black. Repair or replace the input; --allow-non-finite merges it as it is.")
  /// A finite result does not fit the output's type.
  public static let mergeOverflow = Rule(
    "MX007", .error, "result too large for its type",
    "A merged value is beyond the largest number of the output's type, 65,504 for F16. "
      + "--overflow clamp stores the largest number instead, --overflow keep-f32 stores the whole "
      + "tensor as F32.")
  /// The formula has no finite result.
  public static let mergeUndefined = Rule(
    "MX008", .error, "result is not a number",
    "The formula gives no number for finite inputs, or went through a value that is too large. "
      + "Choose parameters in the usual range, or another method.")
  /// Options contradict each other or the method.
  public static let mergeOptions = Rule(
    "MX010", .fatal, "options do not fit the method",
    "A weight was given that the method has no use for. Every number given must have an effect, "
      + "so that the recipe says what was done.")
  /// A file is not what its recipe makes.
  public static let mergeDiffers = Rule(
    "MX011", .error, "not what the recipe makes",
    "A tensor of the file differs from what the recipe gives with these models. The file was "
      + "changed after it was merged, or made by another version or tool.")

  /// All rules about planning and running a merge.
  public static let mergeRules: [Rule] = [
    .mergeArchitecture, .mergeShape, .mergeMissing, .mergeUnknown, .mergeType, .mergeNonFinite,
    .mergeOverflow, .mergeUndefined, .mergeOptions, .mergeDiffers,
  ]
}
