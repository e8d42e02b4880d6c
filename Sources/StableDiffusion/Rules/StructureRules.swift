public import Tensors

// What can be wrong with the structure of a model: names, shapes, types, completeness.
extension Rule {
  /// No known kind of model has these tensors.
  public static let unknownModel = Rule(
    "SD001", .warning, "unknown kind of model",
    "The names and shapes of the tensors fit no kind of model that is recognised, so nothing "
      + "beyond the container could be checked. If it should be a Stable Diffusion 1.x model, its "
      + "tensors were renamed, or it holds too few of them.")
  /// A known kind of model whose structure is not checked.
  public static let otherModel = Rule(
    "SD002", .note, "another kind of model",
    "The file was recognised as something other than a Stable Diffusion 1.x model, for example "
      + "SDXL, a LoRA or a ControlNet. Its container was checked; its tensors were not compared "
      + "with the structure of that kind of model.")
  /// The file is not what the user said it should be.
  public static let wrongArchitecture = Rule(
    "SD003", .error, "not the expected kind of model",
    "The model is sound, perhaps, but it is not the kind or variant that was asked for with "
      + "--expect. The finding names the tensor that tells them apart.")
  /// A tensor of the network is not in the file.
  public static let missingTensor = Rule(
    "SD004", .error, "tensor missing",
    "A component is there, but this tensor of it is not. Programs either refuse such a file or, "
      + "worse, fill the gap with random values. Causes are interrupted conversions, merge tools "
      + "that keep only what both parents have, and renamed tensors.")
  /// A tensor that belongs to nothing known.
  public static let unexpectedTensor = Rule(
    "SD005", .warning, "tensor not expected",
    "The tensor is no part of a Stable Diffusion 1.x model and none of the extras that training "
      + "programs are known to leave behind. It takes space and does nothing; or it is a misspelt "
      + "tensor that is missed elsewhere.")
  /// A tensor whose shape does not fit the rest of the network.
  public static let misshapenTensor = Rule(
    "SD006", .error, "wrong shape",
    "The shape of the tensor does not fit its neighbours: the widths of the network are read from "
      + "the majority of its tensors, and this one disagrees. The model cannot run. The usual "
      + "cause is a tensor taken from another kind of model.")
  /// A component lacks some of its tensors.
  public static let incompleteComponent = Rule(
    "SD007", .error, "component incomplete",
    "Some tensors of this component are missing; each is reported by itself under SD004. Take the "
      + "component from another model, or convert the original file again.")
  /// A component is not there at all.
  public static let missingComponent = Rule(
    "SD008", .error, "component missing",
    "A whole model has three components: text encoder, U-Net and VAE. This one is not in the file. "
      + "Programs may supply their own, so pictures depend on the program.")
  /// Only averaged weights, no weights in use.
  public static let averagedWeightsOnly = Rule(
    "SD009", .error, "averaged weights only",
    "The U-Net is present only as its exponential moving average (names that begin with "
      + "'model_ema.'). No program loads that as it is: the tensors have to be renamed to take "
      + "the place of the U-Net.")
  /// The structure of SD 1.5 with other widths.
  public static let customWidths = Rule(
    "SD010", .note, "not the standard widths",
    "The network is built like Stable Diffusion 1.5, but its layers have other widths. It opens, "
      + "converts and merges with models of the same widths; programs that expect the standard "
      + "ones refuse it.")
  /// Several precisions within one component.
  public static let mixedPrecision = Rule(
    "SD011", .warning, "mixed precision in one component",
    "The tensors of one component are stored in more than one precision. It works, but is seldom "
      + "meant: merging files of different precision, or a conversion that skipped some tensors, "
      + "leaves such files behind.")
  /// An old or shortened spelling of the names.
  public static let aliasSpelling = Rule(
    "SD012", .note, "another spelling of the names",
    "The tensors have names that some older or newer programs write, not the usual ones. They are "
      + "understood here and written in the usual spelling; other programs may not find them.")
  /// Two tensors for the same place in the network.
  public static let repeatedParameter = Rule(
    "SD013", .warning, "two tensors for one parameter",
    "Two tensors with different spellings stand for the same parameter. The usual spelling is used "
      + "and the other ignored here; another program may choose differently.")
  /// Components that do not work together.
  public static let unfitComponents = Rule(
    "SD014", .error, "components do not fit together",
    "What one component produces has another width than the next one takes, so at least one of "
      + "them comes from another kind of model.")
  /// Weights stored as integers or in a type that is no plain number.
  public static let unusableType = Rule(
    "SD015", .error, "weights are not floating-point numbers",
    "A weight is stored as an integer, a truth value or a complex number. A merge that rounded "
      + "its result, or a quantisation that needs its own program, leaves such tensors behind.")
  /// Averaged weights that do not cover the network.
  public static let incompleteAverage = Rule(
    "SD016", .warning, "averaged weights incomplete",
    "Training programs keep a moving average of every tensor of the U-Net. Some of it is missing, "
      + "so it cannot replace the U-Net. Pruning removes it.")
  /// A number of channels that no known variant has.
  public static let unknownVariant = Rule(
    "SD017", .warning, "unknown variant",
    "The first convolution of the U-Net takes 4 channels in a standard model, 9 in an inpainting "
      + "model and 8 in an InstructPix2Pix model. Another number means a variant that "
      + "common programs do not run.")

  /// All rules about structure.
  public static let structureRules: [Rule] = [
    .unknownModel, .otherModel, .wrongArchitecture, .missingTensor, .unexpectedTensor,
    .misshapenTensor, .incompleteComponent, .missingComponent, .averagedWeightsOnly, .customWidths,
    .mixedPrecision, .aliasSpelling, .repeatedParameter, .unfitComponents, .unusableType,
    .incompleteAverage, .unknownVariant,
  ]

  /// All rules about the model itself: structure, then values.
  public static let schemaRules: [Rule] = structureRules + valueRules
}
