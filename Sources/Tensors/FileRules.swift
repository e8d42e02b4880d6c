extension Rule {
  /// The operating system refused a file operation.
  public static let fileOperation = Rule(
    "IO001", .fatal, "file operation refused",
    "The operating system would not open, read or write the file. The message names the operation "
      + "and the reason it gave.")
  /// A file changed between opening and the end of reading.
  public static let fileChanged = Rule(
    "IO002", .fatal, "file changed while it was read",
    "Size, modification time or identity of the file changed while it was being read, so what was "
      + "checked may not be what was used. Wait until the download or the other program has "
      + "finished, and try again.")
  /// Reading ran past the end of the file.
  public static let fileTruncated = Rule(
    "IO003", .fatal, "file ends early",
    "The file ended before all bytes that it promises could be read. It was truncated, or became "
      + "shorter while it was read.")
  /// What was named is neither a file nor a folder.
  public static let notRegularFile = Rule(
    "IO004", .fatal, "not a regular file",
    "A model is a regular file or a folder. Devices, sockets and pipes are not read, because their "
      + "contents cannot be checked before they are used.")
  /// The output exists already.
  public static let outputExists = Rule(
    "IO005", .fatal, "output exists",
    "The output file or folder exists already. Nothing is overwritten unless asked: give another "
      + "name, or --force.")
  /// The disk is too small for the output.
  public static let diskFull = Rule(
    "IO006", .fatal, "not enough disk space",
    "The file system has less room than the output needs. Nothing was written under the final "
      + "name.")
  /// The output would overwrite what is read.
  public static let outputIsInput = Rule(
    "IO007", .fatal, "output is an input",
    "The output is the same file or folder as an input, or a link to it, or a folder that holds "
      + "it. Even with --force nothing is written over what is being read: give another name.")

  /// All rules about files as such.
  public static let fileRules: [Rule] = [
    .fileOperation, .fileChanged, .fileTruncated, .notRegularFile, .outputExists, .diskFull,
    .outputIsInput,
  ]
}
