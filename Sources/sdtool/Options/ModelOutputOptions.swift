import ArgumentParser
import JSON
import Layouts
import StableDiffusion
import Tensors

/// Where a model is written, in which layout and types, and what is said about it.
struct ModelOutputOptions: ParsableArguments {
  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("The file or folder to make.", valueName: "path"))
  var output: String

  @Option(
    help: ArgumentHelp(
      "Layout: \(OutputLayout.allCases.map(\.rawValue).joined(separator: ", ")) "
        + "(default: by the suffix of the output; none stands for diffusers).",
      valueName: "layout"))
  var layout: OutputLayout?

  @Option(
    help: ArgumentHelp(
      "Type of the weights: keep, f32, f16 or bf16; for one component vae=f32. Repeatable.",
      valueName: "type"))
  var dtype: [TypeArgument] = []

  @Flag(help: "Say what would be done, without computing anything.")
  var plan = false

  @Flag(help: "Write JSON.")
  var json = false

  @Flag(help: "Replace an existing output.")
  var force = false

  @Flag(help: "Say nothing, unless it fails.")
  var quiet = false

  func validate() throws {
    if output.isEmpty { throw ValidationError("--output must not be empty") }
  }

  /// The layout that was asked for, or that the output's name stands for.
  var usedLayout: OutputLayout { layout ?? OutputLayout(path: output) }

  /// The types of all components.
  var types: TypeChoice {
    var types = TypeChoice()
    for argument in dtype {
      if let component = argument.component {
        types[component] = argument.type
      } else {
        types.usual = argument.type
      }
    }
    return types
  }

  /// Progress of writing `total` bytes, shown unless somebody reads the output.
  func progress(total: Int) -> Progress {
    Progress(total: total, isShown: !quiet && !json, label: "writing")
  }

  /// Prints a report in the form that was asked for.
  func show(json value: @autoclosure () -> JSONValue, lines: @autoclosure () -> [String])
    throws(Fault)
  {
    if json {
      Terminal.write(try value().serialized(pretty: true) + "\n")
    } else if !quiet || plan {
      Terminal.write(lines().joined(separator: "\n") + "\n")
    }
  }
}

/// A type for all weights, or for those of one component: `f16`, `vae=f32`.
struct TypeArgument: ExpressibleByArgument {
  let component: Component?
  /// The type; `nil` keeps what is there.
  let type: DType?

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    switch parts.last?.lowercased() {
    case "keep": type = nil
    case "f32", "fp32": type = .f32
    case "f16", "fp16": type = .f16
    case "bf16": type = .bf16
    default: return nil
    }
    if parts.count == 2 {
      guard let component = Component(name: parts[0]) else { return nil }
      self.component = component
    } else {
      component = nil
    }
  }
}
