import ArgumentParser
import Checkpoint
import Inspection
import JSON
import Tensors

/// Runs `body`; prints its fault and ends the program with code 2.
func orFail<Result>(_ body: () throws(Fault) -> Result) throws -> Result {
  do throws(Fault) {
    return try body()
  } catch {
    Interruption.waitForEnd()
    Terminal.writeError("sdtool: " + error.description.sanitized)
    throw ExitCode.unreadable
  }
}

/// What a command prints about one model.
enum ModelOutput {
  case text(String)
  case json(JSONValue)
}

/// Opens the models that `options` name, one after another, and prints what `body` says of each.
///
/// JSON is one value for one file, else a list. A model that cannot be read is named on standard
/// error, and the others are still done; then the program ends with code 2.
func printEachModel(
  _ options: ModelOptions, _ body: (InspectedModel) throws(Fault) -> ModelOutput
) throws {
  var values: [JSONValue] = []
  var failed = false
  let (files, asJSON) = (options.files, options.json)
  let paths = findModels(in: files)
  for path in paths {
    do throws(Fault) {
      let model = try InspectedModel(path: path, variant: options.variant)
      let output = try body(model)
      try model.source.checkUnchanged()
      switch output {
      case .text(let text): Terminal.write(text)
      case .json(let value): values.append(value)
      }
    } catch {
      failed = true
      let fault = error.at(path)
      if asJSON { values.append(["path": .string(path), "error": fault.jsonValue]) }
      Terminal.writeError("sdtool: " + fault.description.sanitized)
    }
  }
  if paths.isEmpty {
    failed = true
    Terminal.writeError("sdtool: no model files in \(files.joined(separator: ", ").sanitized)")
  }
  if asJSON {
    try orFail { () throws(Fault) in
      let value = values.count == 1 && files.count == 1 ? values[0] : .array(values)
      Terminal.write(try value.serialized(pretty: true) + "\n")
    }
  }
  if failed { throw ExitCode.unreadable }
}
