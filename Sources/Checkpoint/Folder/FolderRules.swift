public import Tensors

extension Rule {
  /// A link points outside the folder.
  public static let linkOutside = Rule(
    "DF001", .fatal, "link out of the folder",
    "A symbolic link in a model folder points outside it. Only links inside the folder, and those "
      + "of the Hugging Face cache (`../../blobs/…`), are followed: a downloaded folder must not "
      + "make a program read other files.")
  /// An index names a shard that is not there.
  public static let shardMissing = Rule(
    "DF002", .fatal, "shard missing",
    "The index of a sharded model names a file that is not in the folder. The download is "
      + "incomplete.")
  /// Index and shard disagree about a tensor.
  public static let shardMismatch = Rule(
    "DF003", .fatal, "index and shards disagree",
    "Every tensor of every shard must be in the index, and every tensor of the index in the shard "
      + "that it names. A mismatch means files of different models or versions were mixed.")
  /// An index that does not have the form of one.
  public static let invalidIndex = Rule(
    "DF004", .fatal, "invalid shard index",
    "An index must be a JSON object with a `weight_map` from tensor names to plain file names.")
  /// The index gives another total size than the shards have.
  public static let indexSize = Rule(
    "DF005", .warning, "index gives another size",
    "`metadata.total_size` in the index is not the sum of the tensors' sizes. The index was made "
      + "for another version of the shards.")
  /// The folder asks for code of its own.
  public static let customCode = Rule(
    "DF006", .warning, "folder asks for custom code",
    "A configuration names Python modules inside the folder (`auto_map`, or a component whose "
      + "library is not installed software). Programs may run them with `trust_remote_code`. They "
      + "are never run or followed here; read them before you allow it.")
  /// A folder without any model.
  public static let noModelInFolder = Rule(
    "DF007", .fatal, "no model in this folder",
    "The folder has neither components of a diffusers model, nor an unpacked checkpoint, nor a "
      + "weights file with its configuration.")
  /// The weights come from a variant because the plain file is missing.
  public static let variantUsed = Rule(
    "DF008", .note, "variant file used",
    "The component has no plain weights file, only a variant such as `fp16`. It is read; programs "
      + "must be told to (`variant=\"fp16\"`).")
  /// `model_index.json` names a component that has no weights.
  public static let componentMissing = Rule(
    "DF009", .error, "component missing from the folder",
    "`model_index.json` lists a component that has no weights in the folder. The download is "
      + "incomplete, or only some components were fetched.")
  /// The same weights lie in the folder in several formats.
  public static let severalFormats = Rule(
    "DF010", .note, "weights in several files",
    "The component has more than one file of weights. The plain safetensors file is preferred, "
      + "then a pickled file, then a variant; the others are not read.")

  /// All rules about folders.
  public static let folderRules: [Rule] = [
    .linkOutside, .shardMissing, .shardMismatch, .invalidIndex, .indexSize, .customCode,
    .noModelInFolder, .variantUsed, .componentMissing, .severalFormats,
  ]
}
