import ArgumentParser

/// The models that a command looks at one after another.
struct ModelOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("Model files or folders.", valueName: "file"))
  var files: [String]

  @Option(help: ArgumentHelp("The variant to prefer in folders, for example fp16."))
  var variant: String?

  @Flag(help: "Write JSON.")
  var json = false

  func validate() throws {
    if files.isEmpty { throw ValidationError("name at least one file or folder") }
  }
}
