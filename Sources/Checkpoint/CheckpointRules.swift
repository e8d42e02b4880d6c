public import Tensors

// The zip container.
extension Rule {
  /// The end of the zip archive is missing or damaged.
  public static let zipEnd = Rule(
    "PT001", .fatal, "no valid end of zip archive",
    "A zip archive ends with a record that says where its directory lies. It is missing, damaged, "
      + "or there is more than one that fits. The usual cause is an interrupted download: fetch the "
      + "file again and compare its size.")
  /// The zip directory cannot be true.
  public static let zipDirectory = Rule(
    "PT002", .fatal, "damaged zip directory",
    "The directory of the zip archive contradicts itself or points outside the file. The file is "
      + "damaged, or was made to be read differently by different programs.")
  /// The local header of an entry says something else than the directory.
  public static let zipHeadersDisagree = Rule(
    "PT003", .fatal, "zip headers disagree",
    "Name, method, size or check sum of an entry differ between the zip directory and the header "
      + "in front of the data. Programs that trust one or the other would read different contents.")
  /// An entry's name is not a plain path below the archive's directory.
  public static let zipEntryName = Rule(
    "PT004", .fatal, "unsafe zip entry name",
    "The name of a zip entry is empty, absolute, leaves the archive ('..'), has a backslash or NUL "
      + "in it, is not UTF-8, or stands for a link. No program that saves models writes such names."
  )
  /// Two entries have the same name.
  public static let zipDuplicateEntry = Rule(
    "PT005", .fatal, "duplicate zip entry",
    "Two entries of the zip archive have the same name, possibly in upper and lower case. PyTorch "
      + "takes the first, other programs the last, so the contents are not certain.")
  /// Entries share bytes.
  public static let zipOverlap = Rule(
    "PT006", .fatal, "overlapping zip entries",
    "Two entries of the zip archive occupy the same bytes, or an entry runs into the directory. "
      + "The file is damaged or was made to expand without bound.")
  /// An entry is stored in a way that PyTorch does not write.
  public static let zipMethod = Rule(
    "PT007", .fatal, "unsupported zip entry",
    "The entry is encrypted, or compressed with another method than deflate. Unpack the archive "
      + "and save the model again with PyTorch.")
  /// A record that must be there is not.
  public static let recordMissing = Rule(
    "PT008", .fatal, "record missing",
    "A checkpoint consists of 'data.pkl', 'version' and one record 'data/N' for each storage. One "
      + "of them is missing: the file is incomplete, or is not a PyTorch checkpoint.")
  /// A record holds more or fewer bytes than its storage has values.
  public static let recordSize = Rule(
    "PT009", .fatal, "record has the wrong size",
    "The record of a storage must hold exactly the values that the pickle announces. Reading it "
      + "anyway has been a security hole in older PyTorch (CVE-2026-24747).")
  /// A record's bytes do not have the check sum that the archive states.
  public static let checksum = Rule(
    "PT010", .fatal, "wrong check sum",
    "The bytes of a record do not match their CRC-32. The file was damaged after it was written, "
      + "on disk or in transfer. PyTorch does not check this and would load the damaged values.")
  /// Compressed data cannot be expanded.
  public static let deflateStream = Rule(
    "PT011", .fatal, "damaged compressed record",
    "The compressed bytes of a record are not a valid deflate stream, or it ends early or late.")
  /// Compressed data expand to another size than stated.
  public static let deflateSize = Rule(
    "PT012", .fatal, "compressed record has the wrong size",
    "A compressed record expands to more or fewer bytes than the archive states. Expanding stops "
      + "there, so that a small file cannot fill the memory.")
  /// The archive has a format version from the future, or none that can be read.
  public static let archiveVersion = Rule(
    "PT013", .fatal, "unsupported checkpoint version",
    "The record 'version' must hold a number from 1 to 10; all known versions of PyTorch write 3.")
  /// The byte order is neither little nor big.
  public static let byteOrder = Rule(
    "PT014", .fatal, "unknown byte order",
    "The record 'byteorder' must say 'little' or 'big'. Without it the order is little-endian.")
  /// Entries do not share one directory.
  public static let archiveLayout = Rule(
    "PT015", .fatal, "entries outside the archive's directory",
    "All entries of a checkpoint lie below one directory. An entry elsewhere is not read by "
      + "PyTorch, and could be something else under the same roof.")
  /// The zip archive or folder is something else than a checkpoint.
  public static let notCheckpoint = Rule(
    "PT016", .fatal, "not a PyTorch checkpoint",
    "The file is well-formed as far as it goes, but is not a saved state dict: for example a "
      + "TorchScript program, a zip of other files, or a lone pickle.")
  /// A record that no tensor uses.
  public static let recordUnused = Rule(
    "PT017", .note, "unused record",
    "The archive holds a record that nothing in the checkpoint refers to. It takes room and has no "
      + "effect.")

  static let archiveRules: [Rule] = [
    .zipEnd, .zipDirectory, .zipHeadersDisagree, .zipEntryName, .zipDuplicateEntry, .zipOverlap,
    .zipMethod, .recordMissing, .recordSize, .checksum, .deflateStream, .deflateSize,
    .archiveVersion, .byteOrder, .archiveLayout, .notCheckpoint, .recordUnused,
  ]
}

// The pickle inside.
extension Rule {
  /// The pickle ends in the middle.
  public static let pickleTruncated = Rule(
    "PT020", .fatal, "pickle ends early",
    "The pickle, the part of a checkpoint that names the tensors, ends in the middle of an "
      + "instruction or without the instruction STOP. The file is truncated or damaged.")
  /// An instruction that data do not need.
  public static let pickleOpcode = Rule(
    "PT021", .fatal, "unsupported pickle instruction",
    "The pickle holds an instruction that no program uses to save a model: unknown ones, text "
      + "instructions of protocol 0, and those that only attacks use to hide what they do.")
  /// The pickle protocol is not 2 to 5.
  public static let pickleProtocol = Rule(
    "PT022", .fatal, "unsupported pickle protocol",
    "Checkpoints are pickled with protocol 2 (the usual) to 5, announced in their first bytes.")
  /// An instruction finds too few operands.
  public static let pickleStack = Rule(
    "PT023", .fatal, "pickle stack underflow",
    "An instruction of the pickle takes more values than there are, or looks for a mark that was "
      + "never set. The pickle is damaged or was made by hand.")
  /// The pickle refers to a value that was never stored.
  public static let pickleMemo = Rule(
    "PT024", .fatal, "pickle refers to nothing",
    "The pickle recalls a value under a number that nothing was stored under.")
  /// Something follows the end of the pickle.
  public static let pickleTrailing = Rule(
    "PT025", .fatal, "bytes after the pickle",
    "Bytes follow the instruction STOP, where the pickle ends. PyTorch ignores them; a second "
      + "pickle may hide there.")
  /// A string or number in the pickle is malformed.
  public static let pickleValue = Rule(
    "PT026", .fatal, "malformed value in pickle",
    "A string in the pickle is not valid UTF-8, or a number has an impossible length.")
  /// An instruction is applied to the wrong kind of value.
  public static let pickleType = Rule(
    "PT027", .fatal, "pickle instruction on the wrong kind of value",
    "An instruction of the pickle is applied to something it does not fit, such as storing an item "
      + "into a number. Some readers have been exploited this way.")
  /// Unpickling would run code.
  public static let pickleRunsCode = Rule(
    "PT028", .fatal, "runs code when unpickled",
    "The pickle calls a function or class that is not part of saving tensors. A program that "
      + "unpickles this file the ordinary way runs that code, with all rights of the user. Do not "
      + "load it elsewhere. This tool calls nothing: it reads pickles as data.")
  /// The pickle mentions a name without calling it.
  public static let pickleUnknownName = Rule(
    "PT029", .warning, "unknown name in pickle",
    "The pickle mentions a function or class that is not part of saving tensors, but does not call "
      + "it. Unpickling the file the ordinary way imports the module it lies in.")
  /// An object contains itself.
  public static let pickleCycle = Rule(
    "PT030", .fatal, "pickled object contains itself",
    "A dictionary or list in the pickle contains itself, directly or through others. No state dict "
      + "does; a program that walks it would never finish.")
  /// The pickle asks for more than can be reasonable.
  public static let pickleLimit = Rule(
    "PT031", .fatal, "pickle too large",
    "The pickle is larger than any model's, or asks for more values than its length can justify.")
  /// A reference to a storage is malformed.
  public static let persistentID = Rule(
    "PT032", .fatal, "malformed reference to a storage",
    "A reference to a storage must be ('storage', type, key, location, number of values), with a "
      + "plain key.")

  static let pickleRules: [Rule] = [
    .pickleTruncated, .pickleOpcode, .pickleProtocol, .pickleStack, .pickleMemo, .pickleTrailing,
    .pickleValue, .pickleType, .pickleRunsCode, .pickleUnknownName, .pickleCycle, .pickleLimit,
    .persistentID,
  ]
}

// The tensors.
extension Rule {
  /// A tensor's description has the wrong form.
  public static let tensorMalformed = Rule(
    "PT040", .fatal, "malformed tensor",
    "A tensor must be described by storage, offset, shape and strides, all of them whole numbers "
      + "from zero, with one stride for each axis.")
  /// A tensor reaches outside its storage.
  public static let tensorOutOfStorage = Rule(
    "PT041", .fatal, "tensor outside its storage",
    "Offset, shape and strides of the tensor lead to values beyond the end of its storage.")
  /// A kind of tensor that has no plain values.
  public static let tensorKind = Rule(
    "PT042", .fatal, "unsupported kind of tensor",
    "Quantised, sparse and meta tensors, and Python subclasses of tensors, have no plain array of "
      + "values. Convert the model to ordinary tensors with PyTorch first.")
  /// A tensor would expand far beyond the file.
  public static let tensorExpansion = Rule(
    "PT043", .fatal, "tensor expands beyond reason",
    "Strides of zero or overlapping rows let a few bytes stand for a huge tensor. Those of this "
      + "file would take more than four times its size, and more than 64 MiB.")
  /// Two tensors have the same name.
  public static let tensorDuplicate = Rule(
    "PT044", .fatal, "duplicate tensor name",
    "Two tensors have the same name once nested dictionaries are joined with dots.")
  /// Tensors share their values.
  public static let tensorShared = Rule(
    "PT045", .note, "tensors share a storage",
    "Several tensors lie on the same bytes of one storage: tied weights, or views. They are read "
      + "correctly. Containers without sharing, such as safetensors, hold one copy of each.")
  /// There is no tensor in the file.
  public static let noTensors = Rule(
    "PT046", .fatal, "no tensors",
    "The checkpoint is well-formed but holds no tensors where a state dict was expected.")
  /// A storage of a type that has no equal here.
  public static let storageType = Rule(
    "PT047", .fatal, "unsupported storage type",
    "The values are of a type that safetensors has no name for, for example complex128 or "
      + "quantised integers. Convert the tensor with PyTorch first.")
  /// Two storages of one key.
  public static let storageConflict = Rule(
    "PT048", .fatal, "storage described twice",
    "Two references to the same storage give it different types or lengths.")

  static let tensorRules: [Rule] = [
    .tensorMalformed, .tensorOutOfStorage, .tensorKind, .tensorExpansion, .tensorDuplicate,
    .tensorShared, .noTensors, .storageType, .storageConflict,
  ]
}

// Checkpoints from before zip, folders, and what is written.
extension Rule {
  /// A legacy checkpoint does not begin as it must.
  public static let legacyHeader = Rule(
    "PT050", .fatal, "malformed legacy checkpoint",
    "Before version 1.6, PyTorch saved five pickles: a magic number, the protocol 1001, facts about "
      + "the machine, the object, and the keys of its storages. One of them is not as it must be.")
  /// The key list and the storages do not match.
  public static let legacyKeys = Rule(
    "PT051", .fatal, "legacy key list does not match",
    "The list of storage keys must name every storage that the object uses, once each.")
  /// Something follows the last storage.
  public static let legacyTrailing = Rule(
    "PT052", .fatal, "bytes after the last storage",
    "Bytes follow the last storage of a legacy checkpoint. PyTorch ignores them; something may hide "
      + "there.")
  /// The checkpoint is a tar archive.
  public static let legacyTar = Rule(
    "PT053", .fatal, "tar checkpoint",
    "PyTorch 0.1.9 and older saved tar archives. They cannot be loaded without running code "
      + "(CVE-2025-32434), and PyTorch itself refuses them now. Load the file in an old PyTorch on a "
      + "machine that can be thrown away, and save it again.")
  /// The storages end early.
  public static let legacyTruncated = Rule(
    "PT054", .fatal, "legacy checkpoint ends early",
    "The file ends before the last storage does. The usual cause is an interrupted download: fetch "
      + "the file again and compare its size.")
  /// A tensor that no checkpoint can hold.
  public static let checkpointUnwritable = Rule(
    "PT070", .fatal, "cannot be written as a checkpoint",
    "PyTorch has no tensors of this type (4- and 6-bit floats), or the name or order is not possible "
      + "in a checkpoint. Write a safetensors file instead, or convert the tensor.")

  static let otherCheckpointRules: [Rule] = [
    .legacyHeader, .legacyKeys, .legacyTrailing, .legacyTar, .legacyTruncated,
    .checkpointUnwritable,
  ]

  /// All rules about PyTorch checkpoints.
  public static let checkpointRules: [Rule] =
    archiveRules + pickleRules + tensorRules + otherCheckpointRules
}
